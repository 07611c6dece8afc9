import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServerLimits } from '../../../controller/grpc/server-limits.ts';
import type { PeerRecord } from '../../../controller/store/records.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { keyToPem, makeKey } from '../../../src/identity/key.ts';
import { type Identity, openCell, Uplink, whoAmI } from '../../helpers/door-ground.ts';
import { failureOf, type TestCell } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const activePeer = (trustBundlePem: string): PeerRecord => ({
  cell: 'partner',
  addresses: [],
  trustBundlePem,
  audience: [],
  state: 'active',
  invitedMs: 1,
  acceptedMs: 2,
  revokedMs: null,
  limits: { rows: 10 },
});

describe('connections at the door', () => {
  let cell: TestCell;
  const open = async (limits: Partial<ServerLimits>): Promise<void> => {
    cell = await openCell({ limits });
  };
  afterEach(() => cell.stop());

  /** Ones that ask nothing; how many of them are closed by now. */
  const idle = async (count: number, identity: Identity | null = null): Promise<() => number> => {
    let [shaken, closed] = [0, 0];
    const shown = identity === null ? {} : { cert: identity.certificatePem, key: keyToPem(identity.key) };
    for (let index = 0; index < count; index++) {
      const options = { port: cell.port, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...shown };
      const socket = connectTls(options, () => shaken++);
      socket.on('error', () => undefined);
      socket.on('close', () => closed++);
      socket.resume();
    }
    await until(() => shaken === count, { timeoutMs: 10_000 });
    return () => closed;
  };
  const tooMany = (held: string) => ({
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringMatching(new RegExp(`^\\d connections of ${held} are open, .*: close some$`)),
  });

  it('is not disturbed by garbage, half-open handshakes, foreign protocols or hostile paths', async () => {
    await open({ handshakeTimeoutMs: 2_000, strangerLifetimeMs: 2_000 });
    const enrolled = await cell.enroll(await cell.token());
    const uplink = await Uplink.open(cell, enrolled);
    const closed: string[] = [];
    const note = (name: string, socket: Socket) => {
      socket.on('error', () => undefined);
      socket.on('close', () => closed.push(name));
      socket.resume();
    };
    const garbage = connect({ port: cell.port }, () => garbage.write(Buffer.alloc(64 * 1024, 0xa5)));
    note('garbage', garbage);
    const http = connect({ port: cell.port }, () => http.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    note('http', http);
    note('silent', connect({ port: cell.port }));
    const half = connect({ port: cell.port }, () => half.write(Buffer.from('1603010200010001fc0303', 'hex')));
    note('half', half);
    const options = { port: cell.port, rejectUnauthorized: false };
    const tlsGarbage = connectTls({ ...options, ALPNProtocols: ['h2'] }, () =>
      tlsGarbage.write(Buffer.alloc(9_000, 7)),
    );
    note('garbage in tls', tlsGarbage);
    note('no alpn', connectTls(options));
    note('idle stranger', connectTls({ ...options, ALPNProtocols: ['h2'] }));
    const hostile = connectHttp2(`https://127.0.0.1:${cell.port}`, options);
    hostile.on('error', () => undefined);
    hostile.on('close', () => closed.push('hostile paths'));
    for (const path of ['/', '/%ff', '/\x80\xff', `/${'x'.repeat(9_000)}`, '/fleet.v1.FleetService/Nothing']) {
      const request = hostile.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      request.on('error', () => undefined);
      request.end(Buffer.alloc(70_000, 1));
    }
    await until(() => closed.length === 8, { timeoutMs: 10_000 }).catch((error: unknown) => {
      throw new Error(`only these were closed: ${closed.join(', ')}`, { cause: error });
    });
    await uplink.answered();
    expect(uplink.ended).toBeNull();
  });

  it('are bounded for strangers without turning known hosts away', async () => {
    await open({ maxStrangers: 3, strangerLifetimeMs: 60_000 });
    const enrolled = await cell.enroll(await cell.token());
    const refused = await idle(6);
    await until(() => refused() >= 3, { timeoutMs: 30_000 });
    expect(await whoAmI(cell, enrolled)).toMatchObject({ host: 'W-jarvis' });
  });

  it('of one identity are bounded: one more is told why, others come in, and so does it when one is closed', async () => {
    await open({ maxPerIdentity: 2 });
    const enrolled = await cell.enroll(await cell.token());
    const other = await cell.enroll(await cell.token({ host: 'dragon-lin' }), { machineId: 'machine-2' });
    const uplinks = [await Uplink.open(cell, enrolled), await Uplink.open(cell, enrolled)];
    const full = tooMany('spiffe://home/host/W-jarvis/user/jarvis');
    expect(await failureOf(whoAmI(cell, enrolled))).toMatchObject(full);
    const stream = new Uplink(cell, enrolled);
    expect(await until(() => stream.ended, { timeoutMs: 30_000 })).toMatchObject(full);
    expect(await whoAmI(cell, other)).toMatchObject({ host: 'dragon-lin' });
    uplinks[0]?.close();
    await until(() => whoAmI(cell, enrolled).catch(() => null), { timeoutMs: 30_000 });
    await uplinks[1]?.answered();
  });

  it('that are turned away and ask nothing are closed all the same, beyond a few at once', async () => {
    await open({ maxPerIdentity: 2, handshakeTimeoutMs: 60_000 });
    const enrolled = await cell.enroll(await cell.token());
    const closed = await idle(2 + 8 + 5, enrolled);
    await until(() => closed() === 5, { timeoutMs: 30_000 });
    expect(cell.logged.some((line) => line.includes('turned away') && line.includes('user/jarvis'))).toBe(true);
    await cell.stop();
    await open({ maxPerIdentity: 2, handshakeTimeoutMs: 2_000 });
    const others = await idle(2 + 8, await cell.enroll(await cell.token()));
    await until(() => others() === 8, { timeoutMs: 10_000 });
  });

  it('of one peer are bounded together, whatever its controllers call themselves', async () => {
    await open({ maxPerIdentity: 2 });
    const { authority } = makeAuthority('partner', Date.now());
    await cell.store.commit({ put: [cell.records.peers.writing('partner', activePeer(authority.pem))] });
    const asks = (name: string) => {
      const key = makeKey();
      const id = { kind: 'controller', cell: 'partner', name } as const;
      return whoAmI(cell, { key, certificatePem: authority.issue(id, key, { nowMs: Date.now(), lifetimeMs: 60_000 }) });
    };
    await asks('a');
    await asks('b');
    expect(await failureOf(asks('c'))).toMatchObject(tooMany('spiffe://partner'));
  });

  it('of one address are bounded while it has proven nothing; its enrolled hosts are not held up', async () => {
    await open({ maxStrangersPerAddress: 2, strangerLifetimeMs: 60_000 });
    const enrolled = await cell.enroll(await cell.token());
    await idle(1);
    expect(await failureOf(whoAmI(cell, null))).toMatchObject(tooMany('[:f.]*127.0.0.1'));
    expect(await whoAmI(cell, enrolled)).toMatchObject({ host: 'W-jarvis' });
  });

  it('that begin and say nothing take the turn of others for a while only', async () => {
    await open({ maxHandshakesAtOnce: 2, slowHandshakeMs: 200, handshakeTimeoutMs: 60_000 });
    const enrolled = await cell.enroll(await cell.token());
    const silent = Array.from({ length: 4 }, () => connect({ port: cell.port }));
    for (const socket of silent) socket.on('error', () => undefined);
    await until(() => silent.every(({ readyState }) => readyState === 'open'), { timeoutMs: 30_000 });
    const asked = whoAmI(cell, enrolled);
    let isAnswered = false;
    const note = (): void => {
      isAnswered = true;
    };
    asked.then(note, note);
    const passing = (): boolean => {
      cell.clock.advance(20);
      return isAnswered;
    };
    await until(passing, { timeoutMs: 10_000 });
    expect(await asked).toMatchObject({ host: 'W-jarvis' });
    expect(silent.every(({ readyState }) => readyState === 'open')).toBe(true);
  });

  it('of a crowd are all served, however few at once', async () => {
    await open({ maxHandshakesAtOnce: 1, handshakesPerTurn: 1, slowHandshakeMs: 60_000, maxHandshakeWaitMs: 60_000 });
    const enrolled = await cell.enroll(await cell.token());
    const closed = await idle(20, enrolled);
    expect(closed()).toBe(0);
  });
});
