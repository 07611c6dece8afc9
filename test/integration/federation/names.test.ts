import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { quarantineHost } from '../../../src/cli/client/admin-methods.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { Watching } from '../../helpers/fleet-caller.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { GrantedView } from '../../helpers/granted-view.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { SimulatedScreen } from '../../helpers/simulated-screen.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const PLACE = { hostAgent: 'dragon-lin/u', key: 'a' };

let cell: SimulatedCell;
let host: SimulatedHost;
const peers: ForeignCell[] = [];
beforeEach(async () => {
  const screen = new SimulatedScreen();
  screen.draw('first');
  cell = await SimulatedCell.start();
  host = await cell.host('dragon-lin', { calls: { watchTerminal: screen.watch } });
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await cell?.end();
});

const joined = async (name: string): Promise<ForeignCell> => {
  const peer = await ForeignCell.joined(cell.controller, name);
  peers.push(peer);
  await peer.grant({ verbs: ['watch', 'send'] });
  return peer;
};

/** As somebody of that cell. */
const watching = async (peer: ForeignCell): Promise<Watching> => {
  const fleet = await peer.fleet();
  const client = { watchTerminal: (request: object) => fleet.watchTerminal(request as never, peer.behalf()) };
  return new Watching(client as unknown as FleetServiceClient, PLACE).read();
};

test('a peer is told of watchers by name of its own people alone, and counts the others', async () => {
  const [partner, third] = [await joined('partner'), await joined('third')];
  const ours = [new Watching(cell.admin(), PLACE).read(), new Watching(cell.as(host), PLACE).read()];
  const theirs = await watching(partner);
  const others = await watching(third);
  const told = ({ status: said }: Watching): string => [...(said?.watchers ?? [])].sort().join(' ');
  await until(() => told(theirs) === 'home home home partner/ann', SOON);
  await until(() => told(others) === 'home home home third/ann', SOON);
  const [admin] = ours as [Watching];
  await until(() => ['partner/ann', 'third/ann', 'u@dragon-lin'].every((name) => told(admin).includes(name)), SOON);
  for (const { call } of [...ours, theirs, others]) call.cancel();
});

test('who types is named in a row to whoever’s he is, and is this cell to any other', async () => {
  const partner = await joined('partner');
  const rows = new GrantedView(await partner.fleet());
  const writer = () => rows.rows.get('dragon-lin/u a')?.writer;
  for (const [typing, told] of [
    ['u@dragon-lin', 'home'],
    ['partner/ann', 'partner/ann'],
    [null, null],
  ] as const) {
    host.put(agentRow({ key: 'a', agent: 'coder0-0', writer: typing }));
    await until(() => rows.rows.size === 1 && writer() === told, SOON);
  }
  rows.call.cancel();
});

test('that a host is in quarantine is nothing to a peer: it takes no orders now, and no word says why', async () => {
  const partner = await joined('partner');
  const client = await partner.fleet();
  const request = { host: 'dragon-lin', user: '', lift: false };
  await cell.controller.admin((channel) => channel.unary(quarantineHost, request, { deadlineMs: 5_000 }));
  const rows = new GrantedView(client);
  await until(() => rows.names.length === 1, SOON);
  expect(rows.hosts.get('dragon-lin/u')?.quarantined).toBe(false);
  expect((await cell.controller.view()).momentOf('dragon-lin/u', 0)?.host.quarantined).toBe(true);
  const order = {
    id: 'o-1',
    target: { ...PLACE, paneId: '%1', panePid: 7 },
    sender: undefined,
    text: 'x',
    verify: true,
    timeoutMs: 1_000,
    waitIdleMs: 0,
    noLabel: false,
  };
  const refused = await failureOf(unary<OrderOutcome>((done) => client.sendText(order, partner.behalf(), done)));
  expect([refused.code, refused.details]).toEqual([status.FAILED_PRECONDITION, 'dragon-lin/u takes no orders now']);
  rows.call.cancel();
});
