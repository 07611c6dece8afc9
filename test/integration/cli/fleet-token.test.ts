import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolvePaths } from '../../../src/runtime/paths.ts';
import { AdminServiceService } from '../../../src/wire/gen/fleet/v1/admin.ts';
import type { CreateTokenRequest, OpenToken } from '../../../src/wire/gen/fleet/v1/admin_messages.ts';
import { type Ran, runFleetProgram } from '../../helpers/fleet-program.ts';

const EXPIRES = Date.UTC(2026, 0, 1, 12);
const home = mkdtempSync(join(tmpdir(), 'fleet-home-'));
const instance = `t${randomBytes(6).toString('hex')}`;
const paths = resolvePaths({ instance, home });
let server: Server;
let asked: CreateTokenRequest[];
let withdrawn: unknown[];
let open: OpenToken[];
let refusal: { code: number; details: string } | null;

beforeEach(async () => {
  asked = [];
  withdrawn = [];
  open = [{ host: '', user: 'ops', tenantId: 'acme', expiresMs: Date.now() + 119_000, replace: true, createdBy: 'me' }];
  refusal = null;
  mkdirSync(dirname(paths.adminSocket), { recursive: true, mode: 0o700 });
  server = new Server();
  const createToken = (call: { request: CreateTokenRequest }, reply: (error: unknown, answer?: unknown) => void) => {
    asked.push(call.request);
    reply(refusal, { token: 'fleet-token-1', expiresMs: EXPIRES });
  };
  const answering =
    (answer: () => unknown) => (call: { request: unknown }, reply: (error: unknown, told?: unknown) => void) => {
      withdrawn.push(call.request);
      reply(refusal, answer());
    };
  const listTokens = answering(() => ({ tokens: open }));
  const withdrawTokens = answering(() => ({ withdrawn: 2 }));
  const { createToken: create, listTokens: list, withdrawTokens: withdraw } = AdminServiceService;
  const handlers = { createToken, listTokens, withdrawTokens };
  server.addService({ createToken: create, listTokens: list, withdrawTokens: withdraw }, handlers as never);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${paths.adminSocket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
});

afterEach(() => {
  server.forceShutdown();
  rmSync(paths.run, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
});

const token = (...args: string[]): Promise<Ran> =>
  runFleetProgram(['--instance', instance, 'token', ...args], { HOME: home });

test('the token alone is on stdout, for a pipe; what it is good for is prose', async () => {
  expect(await token('dragon-lin', '--user', 'jwoltje', '--ttl', '5m', '--replace')).toEqual({
    code: 0,
    stdout: 'fleet-token-1\n',
    stderr:
      'for jwoltje on dragon-lin, once, until 2026-01-01T12:00:00.000Z; there, as jwoltje: fleet host join < TOKEN\n',
  });
  expect(asked).toEqual([{ host: 'dragon-lin', user: 'jwoltje', tenantId: '', validSeconds: 300, replace: true }]);
});

test('by default it is for a user of one’s own name, for 15 minutes', async () => {
  expect((await token('dragon-lin')).code).toBe(0);
  expect(asked).toMatchObject([{ user: userInfo().username, validSeconds: 900, replace: false }]);
});

test.each(['16m', '0s', '1h', 'soon'])('a lifetime of %s is refused before anybody is asked', async (ttl) => {
  expect(await token('dragon-lin', '--ttl', ttl)).toMatchObject({ code: 2, stdout: '' });
  expect(asked).toEqual([]);
});

test('a refusal of the controller is one line, with the exit code of its kind', async () => {
  refusal = { code: status.ALREADY_EXISTS, details: 'dragon-lin is enrolled: add --replace' };
  expect(await token('dragon-lin')).toEqual({
    code: 8,
    stdout: '',
    stderr: 'fleet: dragon-lin is enrolled: add --replace\n',
  });
});

test('without a controller of this user it says where to type it', async () => {
  server.forceShutdown();
  rmSync(paths.adminSocket, { force: true });
  const { code, stderr } = await token('dragon-lin');
  expect(code).toBe(5);
  expect(stderr).toContain('type this where the controller runs, as its user');
});

test('tokens that are out are listed with whom each is for and how long it may be used', async () => {
  const { code, stdout } = await token('ls');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^ *HOST.*\n.*\(any\) +ops +acme +1m\d+s +yes +me\n$/)]);
  expect(JSON.parse((await token('ls', '-o', 'json')).stdout)).toMatchObject({
    schema: 'fleet.tokens/v1',
    tokens: [{ host: null, user: 'ops', tenant_id: 'acme', replace: true, created_by: 'me' }],
  });
  open = [];
  expect(await token('ls')).toEqual({
    code: 0,
    stdout: '',
    stderr: 'no token can be used: fleet token HOST makes one\n',
  });
});

test('tokens are withdrawn by host, by user on it, or those of any host', async () => {
  expect(await token('rm', 'dragon-lin')).toMatchObject({ code: 0, stdout: '2 tokens for dragon-lin withdrawn\n' });
  expect((await token('rm', 'dragon-lin/jwoltje')).code).toBe(0);
  const { stdout } = await token('rm', '--any', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'fleet.withdrawn/v1', host: null, withdrawn: 2 });
  expect(withdrawn).toEqual([
    { host: 'dragon-lin', user: '' },
    { host: 'dragon-lin', user: 'jwoltje' },
    { host: '', user: '' },
  ]);
  for (const args of [[], ['a', '--any'], ['a/'], ['a/b/c']]) expect((await token('rm', ...args)).code).toBe(2);
});
