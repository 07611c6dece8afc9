import { expect, test } from 'vitest';
import { GrantedRows } from '../../../controller/registry/granted-rows.ts';
import { type Caller, LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { namedTo } from '../../../controller/tenancy/named-to.ts';
import type { HeldGrants } from '../../../controller/tenancy/peer-grants.ts';
import { isVisible } from '../../../controller/tenancy/visible.ts';
import { compileGrants, type GrantTerms } from '../../../src/domain/grant.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type AgentRecord, FleetView, type HostAgentRecord } from '../../../src/view/fleet-view.ts';
import { decodeAgentRow, encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { agentRow } from '../../helpers/agent-row.ts';

const terms = (over: Partial<GrantTerms> = {}): GrantTerms => ({
  id: 'g1',
  tenants: ['default'],
  hosts: ['*'],
  agents: ['*'],
  verbs: ['observe'],
  rowLimit: 2,
  ...over,
});

const view = new FleetView({ clock: systemClock });
const host = (id: string, over: Partial<HostAgentRecord> = {}): HostAgentRecord => {
  const [name = '', user = ''] = id.split('/').slice(-2);
  const place = { id, cell: 'home', host: name, user, tenantId: 'default', here: false };
  const link = { linkState: 'connected', linkReason: null, linkSinceMono: 0 } as const;
  const record = { ...place, ...link, facts: null, heardAtMono: 0, clockSkewMs: null, behind: null, ...over };
  view.putHostAgent(record);
  return view.hostAgent(id) as HostAgentRecord;
};
const row = (id: string, key: string, agent = key): AgentRecord => {
  view.putRow(id, key, encodeAgentRow(agentRow({ key, agent })));
  return view.rowsOf(id).get(key) as AgentRecord;
};

const named = namedTo('partner', 'home');

const peer = (...grants: GrantTerms[]): Caller => {
  const held: HeldGrants = {
    now: compileGrants(grants),
    endOf: () => null,
    onChange: () => ({ [Symbol.dispose]: () => undefined }),
  };
  return { ...LOCAL_CALLER, kind: 'controller', cell: 'partner', tenants: [], grants: held };
};

test('what another cell granted here exists for no peer, though its tenant, host and name were granted', () => {
  const own = host('dragon/u');
  const foreign = host('third/dragon/u', { cell: 'third', audience: ['default'] });
  const [ours, theirs] = [row('dragon/u', 'a'), row('third/dragon/u', 'a')];
  const caller = peer(terms());
  expect([own, ours, foreign, theirs].map((record) => isVisible(caller, record))).toEqual([true, true, false, false]);
  expect(isVisible(caller, { tenantId: 'default' })).toBe(false);
  const rows = new GrantedRows(view, compileGrants([terms()]), named);
  expect([rows.judge(ours, false), rows.judge(theirs, false), rows.withheld]).toEqual(['tell', 'hide', 0]);
});

test('a row that no decoder reads is granted to nobody', () => {
  host('dragon/u');
  view.putRow('dragon/u', 'broken', Buffer.from([0x12, 0xff]));
  const broken = view.rowsOf('dragon/u').get('broken') as AgentRecord;
  expect(isVisible(peer(terms()), broken)).toBe(false);
  view.removeRow('dragon/u', 'broken');
});

test('a row takes the place of the first grant that has one, and gives it back when it leaves or is another’s by its name', () => {
  host('w/u');
  const rows = new GrantedRows(
    view,
    compileGrants([terms({ id: 'one', agents: ['a*'], rowLimit: 1 }), terms({ id: 'all', rowLimit: 1 })]),
    named,
  );
  const [a1, a2, b1] = [row('w/u', '1', 'a1'), row('w/u', '2', 'a2'), row('w/u', '3', 'b1')];
  expect([a1, a2, b1].map((record) => rows.judge(record, false))).toEqual(['tell', 'tell', 'hide']);
  expect(rows.withheld).toBe(1);
  expect(rows.release()).toBeNull();
  // By its new name only the second grant shows it, and that one is full.
  expect(rows.judge(row('w/u', '1', 'c1'), false)).toBe('remove');
  expect(rows.withheld).toBe(2);
  expect(rows.release()).toBeNull();
  view.removeRow('w/u', '2');
  expect(rows.judge(a2, true)).toBe('remove');
  expect(rows.release()?.key).toBe('3');
  expect(rows.release()).toBeNull();
  expect(rows.withheld).toBe(1);
  rows.forget('w/u');
  expect([rows.withheld, rows.release()]).toEqual([0, null]);
});

test.each([
  ['jarvis@W-jarvis', 'home'],
  ['third/bob', 'home'],
  ['partner.evil/eve', 'home'],
  ['partner/ann', 'partner/ann'],
])('who types is named to a peer if it is the peer’s own, and is this cell to it otherwise: %s', (writer, told) => {
  host('n/u');
  view.putRow('n/u', 'a', encodeAgentRow(agentRow({ key: 'a', writer, model: 'm' })));
  const record = view.rowsOf('n/u').get('a') as AgentRecord;
  for (const verbs of [['observe'], ['observe', 'watch']] as const) {
    const rows = new GrantedRows(view, compileGrants([terms({ verbs })]), named);
    expect(decodeAgentRow(rows.bytesOf(record))).toMatchObject({ key: 'a', writer: told, model: 'm' });
  }
});
