import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { formatToken, parseToken } from '../../../src/identity/token.ts';
import { inviteTo, OperatorSeat } from '../../helpers/operator-seat.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';

let cell: SimulatedCell;
const seats: OperatorSeat[] = [];

beforeAll(async () => {
  cell = await SimulatedCell.start();
  await cell.host('W-jarvis');
  await cell.host('dragon-lin', { tenantId: 'acme' });
});
afterAll(() => cell.end());
afterEach(() => {
  for (const seat of seats.splice(0)) seat.remove();
});

const newSeat = (): OperatorSeat => {
  const seat = new OperatorSeat();
  seats.push(seat);
  return seat;
};
const seatOf = async (...wish: Parameters<typeof OperatorSeat.at>): Promise<OperatorSeat> => {
  const seat = await OperatorSeat.at(...wish);
  seats.push(seat);
  return seat;
};

test('an invitation becomes a context, and says who one is and what one may', async () => {
  const seat = newSeat();
  const token = await inviteTo(cell.controller, { name: 'maria', role: 'operator', tenants: ['acme'], takeover: true });
  const ran = await seat.start(['login', '-'], `${token}\n`).ended;
  expect(ran).toMatchObject({ code: 0, stderr: 'context home is in use: fleet ps\n' });
  expect(ran.stdout).toMatch(/^you +maria \(operator, proved as operator\)$/m);
  expect(ran.stdout).toMatch(/^tenant +acme$/m);
  expect(ran.stdout).toMatch(/^may +read send lifecycle deploy takeover$/m);
  const folder = join(seat.paths.config, 'contexts/home');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(['certificate.pem', 'context.json', 'key.pem', 'trust-bundle.pem']);
});

test('the program then shows what the operator may see, from a machine without any daemon', async () => {
  const seat = await seatOf(cell.controller, { name: 'nadia', tenants: ['acme'] });
  const shown = await seat.fleet('ps', '-o', 'name');
  expect(shown).toMatchObject({ code: 0, stdout: 'home/dragon-lin/u/coder0-0\n' });
  const hosts = await seat.fleet('hosts', '-o', 'name');
  expect(hosts).toMatchObject({ code: 0, stdout: expect.not.stringContaining('W-jarvis') });
  expect(await seat.fleet('--context', 'local', 'ps')).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('host-agent'),
  });
});

test('an answer that was lost is had again by the same invitation, with the same key only', async () => {
  const token = await inviteTo(cell.controller, { name: 'lena' });
  const seat = newSeat();
  expect((await seat.login(token)).code).toBe(0);
  const { certificatePem, folder } = await seat.held();
  rmSync(join(folder, 'context.json'));
  rmSync(join(folder, 'certificate.pem'));
  expect((await seat.login(token)).code).toBe(0);
  expect((await seat.held()).certificatePem).toBe(certificatePem);
  const thief = newSeat();
  expect(await thief.login(token)).toMatchObject({ code: 6, stderr: expect.stringContaining('not accepted') });
  expect(readdirSync(join(thief.paths.config, 'contexts'))).toEqual([]);
});

test('nothing secret is sent to whoever is not the invitation’s controller', async () => {
  const token = parseToken(await inviteTo(cell.controller, { name: 'olga' }), 'operator');
  const seat = newSeat();
  const forged = formatToken({ ...token, fingerprint: 'ab'.repeat(32) }, 'operator');
  const refused = await seat.login(forged);
  expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('another key than the token names') });
  // The invitation was not spent.
  expect((await seat.login(formatToken(token, 'operator'))).code).toBe(0);
});

test('no other context is written over; another name makes another', async () => {
  const seat = await seatOf(cell.controller, { name: 'paula' });
  const before = readFileSync(join(seat.paths.config, 'contexts/home/key.pem'), 'utf8');
  const token = await inviteTo(cell.controller, { name: 'petra', role: 'admin' });
  expect(await seat.login(token)).toMatchObject({ code: 8, stderr: expect.stringContaining('--context NAME') });
  expect(readFileSync(join(seat.paths.config, 'contexts/home/key.pem'), 'utf8')).toBe(before);
  expect(await seat.login(token, '--context', 'boss')).toMatchObject({
    code: 0,
    stderr: 'context home is still the one in use: fleet context use boss\n',
  });
  expect((await seat.fleet('whoami')).stdout).toContain('paula (viewer');
  expect((await seat.fleet('--context', 'boss', 'whoami')).stdout).toContain('petra (admin');
  expect((await seat.fleet('context', 'use', 'boss')).code).toBe(0);
  expect((await seat.fleet('whoami')).stdout).toContain('petra (admin');
  const listed = JSON.parse((await seat.fleet('context', 'ls', '-o', 'json')).stdout);
  expect(listed.contexts).toMatchObject([
    { name: 'local', in_use: false },
    { name: 'boss', in_use: true, operator: 'petra', cell: 'home' },
    { name: 'home', in_use: false, operator: 'paula' },
  ]);
  expect(await seat.fleet('context', 'rm', 'boss')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--yes'),
  });
  expect((await seat.fleet('context', 'rm', 'boss', '--yes')).code).toBe(0);
  expect((await seat.fleet('ps')).stderr).toContain('host-agent');
  expect(await seat.fleet('--context', 'boss', 'ps')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no context boss (--context)'),
  });
});

test('a host’s token is no invitation, nor the reverse; the way out is named', async () => {
  const seat = newSeat();
  const join = await cell.controller.token('third');
  expect(await seat.login(join)).toMatchObject({ code: 2, stderr: expect.stringContaining('fleet host join') });
  const invitation = await inviteTo(cell.controller, { name: 'quinn' });
  expect(() => parseToken(invitation)).toThrow('"fleet login" takes it');
});

test('what is about one machine says so under a context', async () => {
  const seat = await seatOf(cell.controller, { name: 'rosa', role: 'admin' });
  for (const verb of ['up', 'down', 'host join', 'host add x@y', 'init']) {
    const ran = await seat.fleet(...verb.split(' '), '--context', 'home');
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('this machine alone') });
  }
  expect(await seat.fleet('doctor')).toMatchObject({ code: 2, stderr: expect.stringContaining('fleet doctor HOST') });
  expect(await seat.fleet('doctor', 'W-jarvis')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('simulated'),
  });
  expect(await seat.fleet('audit', '--local')).toMatchObject({ code: 2 });
});

test('an admin elsewhere administers: hosts, ceilings, operators, audit', async () => {
  const seat = await seatOf(cell.controller, { name: 'sara', role: 'admin' });
  expect(await seat.fleet('token', 'fourth', '--user', 'u')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^fleet1\./),
  });
  expect(await seat.fleet('host', 'allow', 'W-jarvis', 'send')).toMatchObject({ code: 0 });
  expect(await seat.fleet('operator', 'invite', 'tom', '--tenant', 'acme')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^fleet1o\./),
  });
  const { stdout } = await seat.fleet('operator', 'ls', '-o', 'json');
  expect(JSON.parse(stdout).operators).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        name: 'sara',
        role: 'admin',
        tenants: null,
        state: 'active',
        last_seen: expect.any(String),
      }),
      expect.objectContaining({
        name: 'tom',
        role: 'viewer',
        tenants: ['acme'],
        state: 'invited',
        certificate_not_after: null,
      }),
    ]),
  );
  expect((await seat.fleet('operator', 'ls')).stdout).toMatch(/tom +viewer +acme +invited, 1\dm left/);
  expect((await seat.fleet('token', 'ls')).stdout).toMatch(/fourth +u .* spiffe:\/\/home\/operator\/sara/);
  expect(await seat.fleet('token', 'rm', 'fourth', '--yes')).toMatchObject({
    code: 0,
    stdout: '1 token for fourth withdrawn\n',
  });
  expect(await seat.fleet('token', 'rm', 'fourth', '--yes')).toMatchObject({ code: 4 });
  expect(await seat.fleet('operator', 'invite', 'sara')).toMatchObject({
    code: 8,
    stderr: expect.stringContaining('operator revoke'),
  });
  const audited = JSON.parse((await seat.fleet('audit', '-o', 'json')).stdout).records;
  expect(audited).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        actor: 'spiffe://home/operator/sara',
        verb: expect.stringContaining('AllowVerbs'),
        outcome: 'allowed',
      }),
      expect.objectContaining({ verb: 'WithdrawTokens', target: 'fourth/*', outcome: 'allowed' }),
    ]),
  );
  expect(await seat.fleet('operator', 'revoke', 'tom', '--yes')).toMatchObject({
    code: 0,
    stdout: 'invitation of tom withdrawn\n',
  });
});

test('a viewer is told that it may not, before anything is asked of a host', async () => {
  const seat = await seatOf(cell.controller, { name: 'vera', tenants: ['default'] });
  expect(await seat.fleet('operator', 'ls')).toMatchObject({
    code: 6,
    stderr: 'fleet: not permitted: fleet whoami says who you are, and what you may\n',
  });
  expect(await seat.fleet('token', 'fifth')).toMatchObject({ code: 6 });
});
