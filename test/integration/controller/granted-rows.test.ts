import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listGrants } from '../../../src/cli/client/grant-methods.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import { refusalReasonOf } from '../../../src/wire/errors.ts';
import type { WhoAmIResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { GrantedView } from '../../helpers/granted-view.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };

const HOUR_MS = 3_600_000;
/** How far the controller's wall clock is ahead. */
let aheadMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };

let cell: SimulatedCell;
let partner: ForeignCell;
beforeEach(async () => {
  aheadMs = 0;
  cell = await SimulatedCell.start({ clock });
  partner = await ForeignCell.joined(cell.controller);
});
afterEach(async () => {
  partner?.close();
  await cell?.end();
});

const named = (key: string, agent: string, over = {}) => agentRow({ key, agent, ...over });

/** Followed to its first bookmark. */
const followed = async (resumeToken = ''): Promise<GrantedView> => {
  const view = new GrantedView(await partner.fleet(), resumeToken);
  await until(() => view.bookmarks > 0 || view.failure, SOON);
  return view;
};

test('a peer without a grant is let in, sees nothing, and is told that this is all', async () => {
  await cell.host('dragon-lin');
  const view = await followed();
  expect([view.failure, view.hosts.size, view.rows.size, view.withheld]).toEqual([null, 0, 0, 0]);
  const me = await unary<WhoAmIResponse>(async (done) => (await partner.fleet()).whoAmI({}, done));
  expect(me).toMatchObject({ caller: { name: 'partner', kind: 'controller', tenantId: '' }, verbs: ['read'] });
});

test('it sees the agents that tenants, hosts and names of a grant cover, as they come and go, and of no other a trace', async () => {
  await partner.grant({ hosts: ['dragon-*'], agents: ['coder*'] });
  const dragon = await cell.host('dragon-lin');
  const jarvis = await cell.host('W-jarvis');
  const theirs = await cell.host('dragon-two', { tenantId: 'other' });
  dragon.put(named('b', 'secret-notes'));
  const view = await followed();
  expect(view.names).toEqual(['dragon-lin/u coder0-0']);
  dragon.put(named('c', 'coder1'));
  await until(() => view.names.length === 2, SOON);
  // An agent that is renamed stays the same to its host, and comes to exist or ceases to for the peer.
  dragon.put(named('b', 'coder2'));
  dragon.put(named('c', 'secret-now'));
  await until(() => view.names.join() === 'dragon-lin/u coder0-0,dragon-lin/u coder2', SOON);
  dragon.remove('a');
  jarvis.remove('a');
  theirs.put(named('d', 'coder9'));
  await until(() => view.names.join() === 'dragon-lin/u coder2', SOON);
  const words = JSON.stringify(view.frames, (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
  const bytes = view.frames.flatMap(({ changes }) => changes?.agents ?? []).map(({ row }) => row.toString('latin1'));
  expect(`${words} ${bytes.join(' ')}`).not.toMatch(/secret|jarvis|other|dragon-two|coder9/);
});

test('of a host it is told how it stands and what is granted of it, and nothing of how this cell does', async () => {
  await partner.grant({ agents: ['coder*'] });
  const warnings = ['LINGER-OFF /home/u'];
  const dragon = await cell.host('dragon-lin', {
    facts: { warnings, version: '9.9.9', control: 'deploy', via: 'ssh' },
  });
  const attention = { id: 'p', need: 'approval', sinceMs: 1, rule: 'r', summary: 'rm -rf?' } as const;
  dragon.put(named('b', 'coder1', { readiness: 'stuck', attention }));
  dragon.put(named('c', 'notes', { readiness: 'stuck', attention }));
  const view = await followed();
  await until(() => view.hosts.get('dragon-lin/u')?.facts?.needs === 1, SOON);
  expect(view.hosts.get('dragon-lin/u')).toMatchObject({
    cell: 'home',
    tenantId: 'default',
    link: { state: 'connected' },
    facts: { agents: 2, needs: 1, warnings: [], version: '', build: '', control: '', machineId: '', capabilities: [] },
    behind: undefined,
  });
  expect(view.hosts.get('dragon-lin/u')?.facts?.via).toBeUndefined();
});

test('what a screen showed is in a row for whoever may watch it, and in no other', async () => {
  const tmux = {
    ...{ socket: '/s', session: 's', sessionId: '$1', group: null, groupMembers: [], paneId: '%1', pid: 1 },
    ...{ command: 'pi', title: 'the title', cwd: '/w', dead: false, exitStatus: null, signal: null },
    ...{ width: 80, height: 24, alternateScreen: false, attached: 0 },
  };
  const attention = { id: 'p', need: 'approval', sinceMs: 1, rule: 'r', summary: 'the prompt' } as const;
  await partner.grant();
  await partner.grant({ agents: ['watched'], verbs: ['watch'] });
  const dragon = await cell.host('dragon-lin');
  dragon.put(named('b', 'watched', { tmux, attention }));
  dragon.put(named('c', 'listed', { tmux, attention }));
  const view = await followed();
  await until(() => view.names.length === 3, SOON);
  expect(view.rows.get('dragon-lin/u b')).toMatchObject({
    tmux: { title: 'the title' },
    attention: { summary: 'the prompt' },
  });
  expect(view.rows.get('dragon-lin/u c')).toMatchObject({
    tmux: { title: null, cwd: '/w' },
    attention: { summary: '' },
  });
});

test('beyond its limit of rows it is told how many it is not told; who leaves makes room', async () => {
  await partner.grant({ rowLimit: 2 });
  const dragon = await cell.host('dragon-lin');
  const view = await followed();
  expect([view.names, view.withheld]).toEqual([['dragon-lin/u coder0-0'], 0]);
  for (const agent of ['b', 'c', 'd']) dragon.put(named(agent, agent));
  await until(() => view.withheld === 2, SOON);
  expect(view.names).toEqual(['dragon-lin/u b', 'dragon-lin/u coder0-0']);
  dragon.put(named('b', 'b-renamed'));
  await until(() => view.names.join() === 'dragon-lin/u b-renamed,dragon-lin/u coder0-0', SOON);
  dragon.remove('a');
  await until(() => view.withheld === 1, SOON);
  expect(view.names).toEqual(['dragon-lin/u b-renamed', 'dragon-lin/u c']);
  dragon.remove('d');
  await until(() => view.withheld === 0, SOON);
});

test('rows end within a moment of the grant, said as a change of grants, and asked anew they are what is granted now', async () => {
  const first = await partner.grant({ agents: ['coder*'] });
  await partner.grant({ agents: ['notes'], verbs: ['observe'] });
  const dragon = await cell.host('dragon-lin');
  dragon.put(named('b', 'notes'));
  const view = await followed();
  await until(() => view.names.length === 2, SOON);
  await partner.revoke(first.id);
  const ended = await until(() => view.failure, SOON);
  expect([ended.code, refusalReasonOf(ended)]).toEqual([status.ABORTED, 'grants_changed']);
  const anew = await followed(view.resumeToken);
  // A place in what was granted before is none: rows that are granted no more would stay.
  expect(anew.frames[0]?.opened?.resumed).toBe(false);
  expect(anew.names).toEqual(['dragon-lin/u notes']);
});

test('at the moment at which a grant expires its rows end, without anybody’s doing', async () => {
  await cell.host('dragon-lin');
  await partner.grant({ validMs: HOUR_MS });
  const view = await followed();
  expect(view.names).toEqual(['dragon-lin/u coder0-0']);
  aheadMs = HOUR_MS;
  const ended = await until(() => view.failure, SOON);
  expect(refusalReasonOf(ended)).toBe('grants_changed');
  expect((await followed()).names).toEqual([]);
  const { grants } = await cell.controller.admin((channel) =>
    channel.unary(listGrants, { id: '', peer: 'partner' }, { deadlineMs: 5_000 }),
  );
  expect(grants.map((grant) => grant.status)).toEqual(['expired']);
});

test('a grant for a cell that has not come yet is pending, and counts from its coming on', async () => {
  const late = new ForeignCell(cell.controller, 'late');
  const secret = await late.invitation();
  await cell.host('dragon-lin');
  expect((await late.grant()).status).toBe('pending');
  expect((await failureOf(unary(async (done) => (await late.fleet()).whoAmI({}, done)))).code).toBe(
    status.UNAUTHENTICATED,
  );
  await late.join(secret);
  const view = new GrantedView(await late.fleet());
  await until(() => view.names.length === 1, SOON);
  late.close();
});
