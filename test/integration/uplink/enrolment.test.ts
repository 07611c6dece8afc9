import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Enrolment } from '../../../host-agent/enrollment/enrolment.ts';
import { IdentityFile } from '../../../host-agent/enrollment/identity-file.ts';
import { callEnroll } from '../../../host-agent/report/enrollment-calls.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { formatToken, makeTokenSecret, TOKEN_LIFETIME_MAX_MS } from '../../../src/identity/token.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };

let folder: string;
let tokenPath: string;
let mute: Server;
let callers: Socket[];
let muteAddress: string;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-enrolment-'));
  tokenPath = join(folder, 'join-token');
  callers = [];
  stop = new AbortController();
  running = Promise.resolve();
  mute = createServer((socket) => callers.push(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  muteAddress = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
});

afterEach(async () => {
  stop.abort();
  await running;
  for (const socket of callers) socket.destroy();
  mute.close();
  await rm(folder, { recursive: true, force: true });
});

const started = (clock = new MovedClock()) => {
  const enrolment = new Enrolment({
    file: new IdentityFile(folder),
    clock,
    log: silentLogger(),
    machineId: 'm',
    version: '1',
    hostName: 'dragon-lin',
    userName: 'u',
    retryMs: 10,
    enroll: () => Promise.reject(new Error('nobody is there to enrol with')),
  });
  running = enrolment.run(stop.signal);
  return { enrolment, clock };
};

const tokenFor = (address: string): string =>
  formatToken({
    addresses: [address],
    fingerprint: '00'.repeat(32),
    cell: 'home',
    host: '',
    user: '',
    expiresMs: Date.now() + 60_000,
    secret: makeTokenSecret(),
  });

/** Where nobody listens. */
const deadAddress = async (): Promise<string> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
};

test('a join token that cannot be read is told, until it is away', async () => {
  await mkdir(tokenPath);
  const { enrolment } = started();
  await until(() => enrolment.problem, SOON);
  expect(enrolment.problem).toBe(
    `the join token ${tokenPath} is no regular file: remove it, and hand it over with "fleet host join"`,
  );
  await rm(tokenPath, { recursive: true });
  await until(() => enrolment.problem === null, SOON);
});

test('a token is tried while the controller is away, and given up when it is older than any token gets', async () => {
  await writeFile(tokenPath, tokenFor(await deadAddress()));
  const { enrolment, clock } = started();
  await until(() => enrolment.problem?.includes('ECONNREFUSED'), SOON);
  expect(existsSync(tokenPath)).toBe(true);
  clock.advance(TOKEN_LIFETIME_MAX_MS);
  await until(() => !existsSync(tokenPath), SOON);
  expect(enrolment.problem).toMatch(/^not enrolled: .*ECONNREFUSED.*; the token ran out meanwhile: make a new one/);
});

test('an enrolment under way ends with the daemon, and its token is as good as before', async () => {
  const token = tokenFor(muteAddress);
  await writeFile(tokenPath, token);
  const { enrolment } = started();
  await until(() => callers.length > 0, SOON);
  stop.abort();
  await running;
  // Its call's own deadline would have been a problem.
  expect(await readFile(tokenPath, 'utf8')).toBe(token);
  expect(enrolment.problem).toBeNull();
});

test('a call for a certificate ends with its signal, not with its deadline', async () => {
  const { authority } = makeAuthority('home', Date.now());
  const identity = { certificatePem: null, keyPem: null, trustBundlePem: authority.pem, cell: 'home' };
  const request = { secret: 's', csr: Buffer.alloc(1), machineId: 'm', version: '1', host: 'h', user: 'u' };
  const call = callEnroll(muteAddress, identity, request, Date.now, stop.signal);
  await until(() => callers.length > 0, SOON);
  stop.abort();
  await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
});
