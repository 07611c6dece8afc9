import { userInfo } from 'node:os';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OpenToken } from '../../../src/wire/gen/fleet/v1/admin_messages.ts';
import type { Ran } from '../../helpers/fleet-program.ts';
import { ServedAdmin } from './served-admin.ts';

const EXPIRES = Date.UTC(2026, 0, 1, 12);
let served: ServedAdmin;
let open: OpenToken[];

beforeEach(async () => {
  open = [{ host: '', user: 'ops', tenantId: 'acme', expiresMs: Date.now() + 119_000, replace: true, createdBy: 'me' }];
  served = new ServedAdmin();
  await served.start({
    createToken: { token: 'fleet-token-1', expiresMs: EXPIRES },
    get listTokens() {
      return { tokens: open };
    },
    withdrawTokens: { withdrawn: 2 },
  });
});
afterEach(() => served.dispose());

const token = (...args: string[]): Promise<Ran> => served.fleet(['token', ...args]);
const asked = (): unknown[] => served.asked.map(([, request]) => request);
const withdrawals = (): unknown[] =>
  served.asked.filter(([call]) => call === 'withdrawTokens').map(([, request]) => request);

test('the token alone is on stdout, for a pipe; what it is good for is prose', async () => {
  expect(await token('dragon-lin', '--user', 'jwoltje', '--ttl', '5m', '--replace')).toEqual({
    code: 0,
    stdout: 'fleet-token-1\n',
    stderr:
      'for jwoltje on dragon-lin, once, until 2026-01-01T12:00:00.000Z; there, as jwoltje: fleet host join < TOKEN\n',
  });
  expect(asked()).toEqual([{ host: 'dragon-lin', user: 'jwoltje', tenantId: '', validSeconds: 300, replace: true }]);
});

test('by default it is for a user of one’s own name, for 15 minutes', async () => {
  expect((await token('dragon-lin')).code).toBe(0);
  expect(asked()).toMatchObject([{ user: userInfo().username, validSeconds: 900, replace: false }]);
});

test.each(['16m', '0s', '1h', 'soon'])('a lifetime of %s is refused before anybody is asked', async (ttl) => {
  expect(await token('dragon-lin', '--ttl', ttl)).toMatchObject({ code: 2, stdout: '' });
  expect(asked()).toEqual([]);
});

test.each([
  ['list', 'fleet token ls'],
  ['Show', 'fleet token ls'],
  ['revoke', 'fleet token rm'],
  ['remove', 'fleet token rm'],
  ['delete', 'fleet token rm'],
  ['withdraw', 'fleet token rm'],
  ['help', 'fleet token --help'],
])('fleet token %s makes no secret for a host of that name: %s is offered', async (word, meant) => {
  expect(await token(word)).toEqual({
    code: 2,
    stdout: '',
    stderr: `fleet: did you mean ${meant}? For a host named ${word}: fleet token ${word} --user USER\n`,
  });
  expect(asked()).toEqual([]);
});

test('a host may be named like a verb: with its user there is no doubt', async () => {
  expect(await token('list', '--user', 'ops')).toMatchObject({ code: 0, stdout: 'fleet-token-1\n' });
  expect(asked()).toMatchObject([{ host: 'list', user: 'ops' }]);
});

test('a refusal of the controller is one line, with the exit code of its kind', async () => {
  served.refusal = { code: status.ALREADY_EXISTS, details: 'dragon-lin is enrolled: add --replace' };
  expect(await token('dragon-lin')).toEqual({
    code: 8,
    stdout: '',
    stderr: 'fleet: dragon-lin is enrolled: add --replace\n',
  });
});

test('without a controller of this user it says where to type it', async () => {
  served.stop();
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

const openFor = (host: string, user: string): OpenToken => ({ ...(open[0] as OpenToken), host, user });

test('tokens are withdrawn by host, by user on it, or those of any host', async () => {
  open.push(openFor('dragon-lin', 'jwoltje'), openFor('dragon-lin', 'ops'));
  expect(await token('rm', 'dragon-lin', '--yes')).toMatchObject({
    code: 0,
    stdout: '2 tokens for dragon-lin withdrawn\n',
  });
  expect((await token('rm', 'dragon-lin/jwoltje', '-y')).code).toBe(0);
  const { stdout } = await token('rm', '--any', '-y', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'fleet.withdrawn/v1', host: null, withdrawn: 2 });
  expect(withdrawals()).toEqual([
    { host: 'dragon-lin', user: '' },
    { host: 'dragon-lin', user: 'jwoltje' },
    { host: '', user: '' },
  ]);
  for (const args of [[], ['a', '--any'], ['a/'], ['a/b/c']]) expect((await token('rm', ...args)).code).toBe(2);
});

test('a withdrawal is asked about with how many it would end, and away from a terminal needs --yes', async () => {
  open.push(openFor('dragon-lin', 'jwoltje'), openFor('dragon-lin', 'ops'), openFor('other', 'ops'));
  const questions: [args: string[], question: string][] = [
    [['dragon-lin'], 'dragon-lin (2 tokens)'],
    [['dragon-lin/ops'], 'dragon-lin/ops (1 token)'],
    [['--any'], 'any host (1 token)'],
  ];
  for (const [args, question] of questions) {
    expect(await token('rm', ...args)).toEqual({
      code: 2,
      stdout: '',
      stderr: `fleet: withdraw what can be used by ${question}? Not on a terminal: add --yes\n`,
    });
  }
  expect(await token('rm', 'dragon-lin/nobody')).toEqual({
    code: 4,
    stdout: '',
    stderr: 'fleet: no join token for dragon-lin/nobody can be used: see "fleet token ls"\n',
  });
  expect(withdrawals()).toEqual([]);
});
