import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import {
  Client,
  type MethodDefinition,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { describe, expect, it } from 'vitest';
import { addHealth, addReflection } from '../../../controller/grpc/standard-services.ts';
import { DESCRIPTOR_SET } from '../../../src/wire/gen/descriptor-set.ts';
import { type Identity, serve } from '../../helpers/door-ground.ts';
import { failureOf, TestCell, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

type Exchange = (call: Duplex) => void;

/** Both versions of reflection as they are registered. */
const reflections = (): { definition: ServiceDefinition; exchange: Exchange }[] => {
  const added: { definition: ServiceDefinition; exchange: Exchange }[] = [];
  const addRaw = (definition: ServiceDefinition, { ServerReflectionInfo }: UntypedServiceImplementation) =>
    void added.push({ definition, exchange: ServerReflectionInfo as unknown as Exchange });
  addReflection({ addRaw }, DESCRIPTOR_SET);
  return added;
};

describe('services of gRPC itself', () => {
  it('answers health to those it knows, and reflection to an administrator', async () => {
    const fresh = await new TestCell().start();
    try {
      const image = join(fresh.folder, 'fleet.binpb');
      execFileSync('buf', ['build', 'proto', '-o', image]);
      const health = addHealth(fresh.server, ['fleet.v1.FleetService']);
      addReflection(fresh.server, readFileSync(image));
      await serve(fresh);
      await fresh.open();
      health.set('', true);
      const enrolled = await fresh.enroll(await fresh.token());
      const check = (identity: Identity | null) => {
        const client = fresh.client(Client, identity);
        const method = service.Check ?? service.check;
        if (method === undefined) throw new Error('no method');
        return unary<{ status: string }>((done) =>
          client.makeUnaryRequest(
            method.path,
            method.requestSerialize,
            method.responseDeserialize as (bytes: Buffer) => { status: string },
            { service: '' },
            (error, value) => done(error, value as { status: string }),
          ),
        );
      };
      expect(await check(enrolled)).toMatchObject({ status: 'SERVING' });
      expect((await failureOf(check(null))).code).toBe(status.UNAUTHENTICATED);
      const socket = join(fresh.folder, 'admin', 's');
      await fresh.server.listenLocal(socket);
      const client = fresh.local(Client, socket);
      const listServices = Buffer.from('3a00', 'hex');
      let answer = Buffer.alloc(0);
      const stream = client.makeBidiStreamRequest<Buffer, Buffer>(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        (bytes) => bytes,
        (bytes) => bytes,
      );
      stream.on('error', () => undefined);
      stream.on('data', (bytes: Buffer) => {
        answer = Buffer.concat([answer, bytes]);
      });
      stream.write(listServices);
      await until(() => answer.includes('fleet.v1.FleetService'), { timeoutMs: 30_000 });
      stream.end();
    } finally {
      await fresh.stop();
    }
  });

  it('reflect no further than is read: the next request waits until the answer before it is taken', async () => {
    const asked = { host: '', messageRequest: 'listServices', listServices: '' };
    const all = reflections();
    expect(all).toHaveLength(2);
    for (const { exchange } of all) {
      const taken: (() => void)[] = [];
      let answers = 0;
      const write = (_answer: unknown, _encoding: string, done: () => void): void => {
        answers++;
        taken.push(done);
      };
      const call = new Duplex({ objectMode: true, read: () => undefined, write });
      exchange(call);
      for (let n = 0; n < 50; n++) call.push(asked);
      call.push(null);
      await until(() => taken.length > 0, { timeoutMs: 30_000 });
      expect([answers, call.writableLength, call.readableLength]).toEqual([1, 1, 49]);
      const allTaken = (): boolean => {
        taken.shift()?.();
        return call.writableFinished;
      };
      await until(allTaken, { timeoutMs: 30_000 });
      expect(answers).toBe(50);
    }
  });

  it('reflect nothing for a request that is longer than any name', () => {
    for (const { definition } of reflections()) {
      const { requestDeserialize, requestSerialize } = definition.ServerReflectionInfo as MethodDefinition<
        object,
        object
      >;
      const named = (length: number) => requestSerialize({ fileContainingSymbol: 'x'.repeat(length) });
      expect(requestDeserialize(named(100))).toMatchObject({ messageRequest: 'fileContainingSymbol' });
      expect(() => requestDeserialize(named(5_000))).toThrow(/5003 bytes/);
    }
  });
});
