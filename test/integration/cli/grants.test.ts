import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentRow } from '../../helpers/agent-row.ts';
import type { Ran } from '../../helpers/fleet-program.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { runCommand } from '../../helpers/run-command.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };

let cell: SimulatedCell;
let partner: ForeignCell;
beforeAll(async () => {
  cell = await SimulatedCell.start();
  partner = await ForeignCell.joined(cell.controller);
  const dragon = await cell.host('dragon-lin');
  dragon.put(agentRow({ key: 'b', agent: 'coder1' }));
  dragon.put(agentRow({ key: 'c', agent: 'notes' }));
  await until(async () => [...(await cell.controller.view()).rowsOf(dragon.id)].length === 3, SOON);
});
afterAll(async () => {
  partner?.close();
  await cell?.end();
});

/** As the controller's own user: by its admin socket. */
const grant = (...args: string[]): Promise<Ran> => runCommand(cell.controller.config.paths, 'grant', ...args);
const objects = ({ stdout }: Ran) => JSON.parse(stdout) as { grants: Record<string, unknown>[]; dry_run?: boolean };

const TERMS = ['--tenant', 'default', '--host', 'dragon-*', '--agent', 'coder*'];

test('a dry run prints exactly the agents that would be shown, and makes nothing', async () => {
  expect(await grant('add', 'partner', ...TERMS, '--verb', 'observe', '--dry-run')).toEqual({
    code: 0,
    stdout: 'home/dragon-lin/u/coder0-0\nhome/dragon-lin/u/coder1\n',
    stderr: 'it would show 2 agents; nothing was changed\n',
  });
  const cut = await grant('add', 'partner', ...TERMS, '--verb', 'observe', '--rows', '1', '--dry-run', '-o', 'json');
  expect(objects(cut)).toMatchObject({
    dry_run: true,
    grants: [{ id: null, shows: ['home/dragon-lin/u/coder0-0'], withheld: 1, row_limit: 1 }],
  });
  expect(await grant('ls')).toEqual({ code: 0, stdout: '', stderr: '0 grants\n' });
});

test('a grant is made, listed, shown and ended for ever', async () => {
  const made = objects(
    await grant('add', 'partner', ...TERMS, '--verb', 'watch,send', '--expires', '7d', '-o', 'json'),
  );
  const [{ id, expires } = {}] = made.grants as { id: string; expires: string }[];
  expect(made.grants[0]).toMatchObject({
    ...{ peer: 'partner', status: 'active', tenants: ['default'], hosts: ['dragon-*'], agents: ['coder*'] },
    ...{ verbs: ['observe', 'watch', 'send'], row_limit: 1_000, revoked: null },
  });
  expect(Date.parse(expires as string) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
  const { stdout } = await grant('ls', 'partner');
  expect(stdout).toMatch(/^ID +PEER +STATUS +ENDS +VERBS +TENANTS +HOSTS +ROWS +AGENTS\n/);
  expect(stdout).toMatch(/g\w+ +partner +active +in 6d23h +observe,watch,send +default +dragon-\* +1000 +coder\*\n/);
  const shown = await grant('show', id as string);
  expect(shown.stdout).toContain('\nhome/dragon-lin/u/coder0-0\nhome/dragon-lin/u/coder1\n');
  expect(shown.stderr).toMatch(/^it shows 2 agents · made 20\S+Z by local:/);
  expect(await grant('revoke', id as string)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  expect(await grant('revoke', id as string, '--yes')).toMatchObject({ code: 0, stdout: `${id} revoked\n` });
  expect(await grant('revoke', id as string, '--yes')).toMatchObject({ code: 0, stdout: `${id} was revoked before\n` });
  expect(await grant('ls')).toMatchObject({ stdout: '', stderr: '0 grants; 1 over: --all\n' });
  expect(objects(await grant('ls', '--all', '-o', 'json')).grants).toMatchObject([{ id, status: 'revoked' }]);
});

test.each([
  [['add', 'partner', '--host', '*', '--agent', '*', '--verb', 'observe'], 2, '--tenant'],
  [['add', 'partner', '--tenant', 'default', '--agent', '*', '--verb', 'observe'], 2, '--host'],
  [['add', 'partner', '--tenant', 'default', '--host', '*', '--verb', 'observe'], 2, '--agent'],
  [['add', 'partner', ...TERMS], 2, '--verb'],
  [['add', 'partner', ...TERMS, '--verb', 'deploy'], 2, '"deploy": one of observe, watch, send, lifecycle, takeover'],
  [['add', 'partner', ...TERMS, '--verb', 'send'], 2, 'must expire within 30 days'],
  [['add', 'partner', ...TERMS, '--verb', 'send', '--expires', '31d'], 2, 'must expire within 30 days'],
  [['add', 'partner', ...TERMS, '--verb', 'observe', '--expires', 'soon'], 2, '--expires "soon"'],
  [['add', 'partner', ...TERMS, '--verb', 'observe', '--rows', '10001'], 2, '1 to 10000'],
  [['add', 'partner', '--tenant', 'nobody', '--host', '*', '--agent', '*', '--verb', 'observe'], 2, 'fleet tenant ls'],
  [['add', 'stranger', ...TERMS, '--verb', 'observe'], 4, 'no peer stranger: "fleet peer ls"'],
  [['ls', 'stranger'], 4, 'no peer stranger: "fleet peer ls"'],
  [['show', 'g0'], 4, 'no grant "g0": see "fleet grant ls"'],
  [['revoke', 'g0', '--yes'], 4, 'no grant "g0"'],
] as const)('fleet grant %j ends with %i and says %s', async (args, code, words) => {
  const ran = await grant(...args);
  expect([ran.code, ran.stdout]).toEqual([code, '']);
  expect(ran.stderr).toContain(words);
  expect(ran.stderr.trim().split('\n')).toHaveLength(1);
});
