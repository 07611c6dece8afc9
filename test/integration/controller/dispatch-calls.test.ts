import { once } from 'node:events';
import { type ClientUnaryCall, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CallContext } from '../../../host-agent/calls/own-calls.ts';
import { FleetError } from '../../../src/domain/errors.ts';
import type { ExplainAgentResponse, TailTerminalResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { MAX_TUNNEL_CALLS } from '../../../src/wire/host-calls.ts';
import { EXPLAINED, explain, SOON } from '../../helpers/order-cell.ts';
import { type HostWish, SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

test('a caller who leaves, or waits no longer, ends its call at the host', async () => {
  const contexts: CallContext[] = [];
  const hang = (_: unknown, context: CallContext) => {
    contexts.push(context);
    return new Promise<never>((_, reject) => {
      context.signal.addEventListener('abort', () => reject(new FleetError('CANCELLED', 'given up')));
    });
  };
  await cell.host('dragon-lin', { calls: { explainAgent: hang } });
  const client = await cell.hostAgent('W-jarvis');
  let call: ClientUnaryCall | undefined;
  const left = unary<ExplainAgentResponse>((done) => {
    call = client.explainAgent({ hostAgent: 'dragon-lin/u', key: 'a' }, done);
  });
  left.catch(() => undefined);
  await until(() => contexts.length === 1, SOON);
  expect(contexts[0]?.signal.aborted).toBe(false);
  call?.cancel();
  await until(() => contexts[0]?.signal.aborted === true, SOON);
  const { Metadata } = await import('@grpc/grpc-js');
  const late = await failureOf(
    unary((done) =>
      client.explainAgent(
        { hostAgent: 'dragon-lin/u', key: 'a' },
        new Metadata(),
        { deadline: Date.now() + 1_500 },
        done,
      ),
    ),
  );
  expect(late.code).toBe(status.DEADLINE_EXCEEDED);
  await until(() => contexts[1]?.signal.aborted === true, SOON);
});

test('so many calls run to one host at once and no more; it answers again when they end', async () => {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  await cell.host('dragon-lin', {
    calls: {
      explainAgent: async () => {
        running++;
        await gate.promise;
        return EXPLAINED;
      },
    },
  });
  const client = cell.admin();
  // Alone, so that the tunnel is open before the many.
  const first = explain(client);
  await until(() => running === 1, SOON);
  const others = Array.from({ length: MAX_TUNNEL_CALLS - 1 }, () => explain(client));
  await until(() => running === MAX_TUNNEL_CALLS, SOON);
  expect((await failureOf(explain(client))).code).toBe(status.RESOURCE_EXHAUSTED);
  gate.resolve();
  expect((await Promise.all([first, ...others])).every(({ rules }) => rules === 'pi 1')).toBe(true);
  expect(await explain(client)).toEqual(EXPLAINED);
});

/** Some 4 MB, as fast as they are taken. */
const LINE = 'x'.repeat(10_000);
const lines = (n: number): TailTerminalResponse => ({
  lines: [`${n} ${LINE}`],
  fullScreen: false,
  missed: 0,
  end: undefined,
});
const tailTerminal: NonNullable<HostWish['calls']>['tailTerminal'] = async (_, sink, { signal }) => {
  for (let n = 0; !signal.aborted && n < 400; n++) if (!sink.write(lines(n))) await sink.drained(signal);
};
const TAIL = { hostAgent: 'dragon-lin/u', key: 'a', lines: 400, follow: false, lastRun: 0 };
const numbers = (responses: TailTerminalResponse[]): number[] =>
  responses.flatMap(({ lines }) => lines.map((line) => Number.parseInt(line, 10)));

test('a slow reader of many lines gets them all, in order, and nobody else waits for it', async () => {
  await cell.host('dragon-lin', { calls: { tailTerminal, explainAgent: async () => EXPLAINED } });
  const slow = cell.admin().tailTerminal(TAIL);
  const seen: TailTerminalResponse[] = [];
  slow.on('data', (response: TailTerminalResponse) => {
    seen.push(response);
    if (seen.length === 1) slow.pause();
  });
  await until(() => seen.length === 1, SOON);
  const quick: TailTerminalResponse[] = [];
  for await (const response of cell.admin().tailTerminal(TAIL) as AsyncIterable<TailTerminalResponse>) {
    quick.push(response);
  }
  expect(await explain(cell.admin())).toEqual(EXPLAINED);
  expect(seen).toHaveLength(1);
  slow.resume();
  await until(() => seen.length === 400, SOON);
  const all = Array.from({ length: 400 }, (_, n) => n);
  expect([numbers(quick), numbers(seen)]).toEqual([all, all]);
});

test('a host that does not wait for a slow reader has its call ended', async () => {
  let isEnded = false;
  await cell.host('dragon-lin', {
    calls: {
      tailTerminal: async (_, sink, { signal }) => {
        for (let n = 0; n < 400; n++) sink.write(lines(n));
        await once(signal, 'abort');
        isEnded = true;
      },
    },
  });
  const slow = cell.admin().tailTerminal({ ...TAIL, follow: true });
  let failure: ServiceError | null = null;
  slow.on('error', (error: ServiceError) => {
    failure = error;
  });
  slow.once('data', () => slow.pause());
  await until(() => isEnded, SOON);
  slow.resume();
  await until(() => failure !== null, SOON);
  expect(failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('the tail') });
});
