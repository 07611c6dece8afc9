import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolvePaths } from '../../../src/runtime/paths.ts';
import { type Ran, runFleetProgram } from '../../helpers/fleet-program.ts';
import { TestCell } from '../../helpers/test-cell.ts';

const home = mkdtempSync(join(tmpdir(), 'fleet-home-'));
const instance = `t${randomBytes(6).toString('hex')}`;
const paths = resolvePaths({ instance, home });
let cell: TestCell;

beforeAll(async () => {
  cell = await (await new TestCell().start()).open();
  mkdirSync(dirname(paths.adminSocket), { recursive: true, mode: 0o700 });
  await cell.server.listenLocal(paths.adminSocket);
  await cell.enroll(await cell.token({ host: 'W-jarvis', user: 'jarvis' }));
});

afterAll(async () => {
  await cell.stop();
  rmSync(paths.run, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
});

const fleet = (...args: string[]): Promise<Ran> => runFleetProgram(['--instance', instance, ...args], { HOME: home });
const said = (stdout: string, stderr = ''): Ran => ({ code: 0, stdout: `${stdout}\n`, stderr });

test('a tenant is made, bound to users on hosts by either way of naming them, shown, and removed', async () => {
  expect(await fleet('tenant', 'add', 'acme')).toEqual(said('tenant acme is made'));
  expect(await fleet('tenant', 'add', 'acme')).toEqual(said('tenant acme is there already'));
  const later = said('dragon-lin/jwoltje will belong to acme once it is enrolled');
  expect(await fleet('tenant', 'bind', 'acme', 'jwoltje@dragon-lin')).toEqual(later);
  const moved = said('W-jarvis/jarvis belongs to acme now, no more to default');
  expect(await fleet('tenant', 'bind', 'acme', 'W-jarvis/jarvis')).toEqual(moved);
  expect(await fleet('tenant', 'bind', 'acme', 'W-jarvis/jarvis')).toEqual(
    said('W-jarvis/jarvis belongs to acme, as before'),
  );
  expect(await fleet('tenant', 'ls')).toEqual(
    said(['TENANT   USERS', 'default  -', 'acme     W-jarvis/jarvis (dragon-lin/jwoltje)'].join('\n')),
  );
  expect(await fleet('tenant', 'ls', '-o', 'name')).toEqual(said('default\nacme'));
  const { schema, tenants } = JSON.parse((await fleet('tenant', 'ls', '-o', 'json')).stdout);
  expect(schema).toBe('fleet.tenants/v1');
  expect(tenants[1]).toMatchObject({
    tenant_id: 'acme',
    bindings: [
      { host: 'W-jarvis', user: 'jarvis', enrolled: true },
      { host: 'dragon-lin', user: 'jwoltje', enrolled: false },
    ],
    operators: [],
  });
  expect(
    (await fleet('tenant', 'ls', '-o', 'ndjson')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(tenants);
  expect(await fleet('tenant', 'rm', 'acme')).toMatchObject({ code: 8, stdout: '' });
  await fleet('tenant', 'unbind', 'dragon-lin/jwoltje');
  expect(JSON.parse((await fleet('tenant', 'unbind', 'W-jarvis/jarvis', '-o', 'json')).stdout)).toEqual({
    schema: 'fleet.binding/v1',
    host: 'W-jarvis',
    user: 'jarvis',
    tenant_id: 'default',
    previous_tenant_id: 'acme',
    enrolled: true,
    withdrawn_verbs: [],
  });
  expect(await fleet('tenant', 'rm', 'acme')).toEqual(said('tenant acme is removed'));
});

test('what callers were allowed elsewhere is withdrawn by a move, and that is said', async () => {
  await fleet('tenant', 'add', 'beta');
  await fleet('host', 'allow', 'W-jarvis', 'send');
  const { stderr } = await fleet('tenant', 'bind', 'beta', 'W-jarvis/jarvis');
  expect(stderr).toBe(
    'what its callers were allowed elsewhere is withdrawn: "fleet host allow W-jarvis/jarvis send" allows it anew\n',
  );
});

test.each([
  [['tenant', 'bind', 'beta', 'W-jarvis'], 2, '"W-jarvis": HOST/USER, or USER@HOST'],
  [['tenant', 'bind', 'beta', 'a/b/c'], 2, '"a/b/c": HOST/USER, or USER@HOST'],
  [['tenant', 'bind', 'none', 'W-jarvis/jarvis'], 4, 'no tenant none: "fleet tenant add none" makes it'],
  [['tenant', 'rm', 'none'], 4, 'no tenant none: "fleet tenant ls" lists them'],
  [['tenant', 'unbind', 'x/y'], 4, 'x/y is bound to no tenant: see "fleet tenant ls"'],
  [['tenant', 'add', '-x'], 2, 'unknown flag -x'],
  [['token', 'dragon-lin', '--tenant', 'none'], 4, 'no tenant none: "fleet tenant add none" makes it'],
  [['host', 'quarantine', 'none'], 4, 'no host none is enrolled: see "fleet hosts"'],
])('fleet %j is one line that says what is wrong', async (args, code, words) => {
  const ran = await fleet(...args);
  expect(ran).toMatchObject({ code, stdout: '' });
  expect(ran.stderr).toContain(words);
  expect(ran.stderr.trim().split('\n')).toHaveLength(1);
});

test('a host is put into quarantine and let out', async () => {
  const words = 'W-jarvis/jarvis is in quarantine: it reports, may ask nothing, and takes no orders';
  expect(await fleet('host', 'quarantine', 'W-jarvis')).toEqual(said(words));
  expect(await fleet('host', 'quarantine', 'W-jarvis')).toEqual(said('W-jarvis/jarvis is in quarantine already'));
  const lifted = await fleet('host', 'quarantine', 'W-jarvis', '--user', 'jarvis', '--lift', '-o', 'json');
  expect(JSON.parse(lifted.stdout)).toEqual({
    schema: 'fleet.quarantine/v1',
    host: 'W-jarvis',
    host_agents: [{ host_agent: 'W-jarvis/jarvis', quarantined: false, changed: true }],
  });
  expect(await fleet('host', 'quarantine', 'W-jarvis', '--lift')).toEqual(said('W-jarvis/jarvis is not in quarantine'));
});

test('where no controller of this user runs, the ways to one are named', async () => {
  const nowhere = `t${randomBytes(6).toString('hex')}`;
  const { code, stderr } = await runFleetProgram(['--instance', nowhere, 'tenant', 'ls'], { HOME: home });
  expect(code).toBe(5);
  expect(stderr).toContain('where the controller runs, as its user, or as an admin elsewhere with --context; fleet up');
});
