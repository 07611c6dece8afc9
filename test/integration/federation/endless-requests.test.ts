import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { HostAgentServiceClient } from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import type { WhoAmIResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { GrantedView } from '../../helpers/granted-view.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const MB = 1024 * 1024;

let cell: SimulatedCell;
let partner: ForeignCell;
let host: SimulatedHost;
beforeEach(async () => {
  cell = await SimulatedCell.start();
  partner = await ForeignCell.joined(cell.controller);
  host = await cell.host('dragon-lin');
  await partner.grant({ verbs: ['watch', 'send'] });
});
afterEach(async () => {
  partner?.close();
  await cell?.end();
});

const whoAmI = (client: FleetServiceClient): Promise<WhoAmIResponse> => unary((done) => client.whoAmI({}, done));

test.each(['connect', 'tunnel'] as const)(
  'a peer that says without end what hosts say (%s) is refused, and read no further',
  async (method) => {
    const client = await partner.client(HostAgentServiceClient, partner.leaf());
    const call = client[method]();
    let refused: number | null = null;
    call.on('error', ({ code }: { code?: number }) => {
      refused = code ?? -1;
    });
    call.resume();
    const frame = { beat: { sequence: 1n, authorities: ['x'.repeat(100_000)] } };
    let sent = 0;
    await until(() => {
      for (let more = 0; refused === null && more < 10; more++) {
        (call.write as (message: object) => boolean)(
          method === 'connect' ? frame : { callId: 1n, message: Buffer.alloc(100_000) },
        );
        sent++;
      }
      return refused !== null;
    }, SOON);
    expect(refused).toBe(status.PERMISSION_DENIED);
    expect(sent).toBeLessThan(5_000);
    expect((await whoAmI(await partner.fleet())).cell).toBe('home');
  },
);

test('a request that is larger than any may be is refused before anything is made of it', async () => {
  const client = await partner.fleet();
  const order = {
    id: 'o-1',
    target: { hostAgent: host.id, key: 'a', paneId: '%1', panePid: 7 },
    sender: undefined,
    text: 'x'.repeat(5 * MB),
    verify: true,
    timeoutMs: 1_000,
    waitIdleMs: 0,
    noLabel: false,
  };
  const refused = await failureOf(unary((done) => client.sendText(order, partner.behalf(), done)));
  expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
  expect((await whoAmI(client)).cell).toBe('home');
});

test('a peer that asks for rows and reads none is held by what lies on its line: it is told the newest later, and others at once', async () => {
  const unread = Array.from({ length: 8 }, () => partner.fleet());
  const views = (await Promise.all(unread)).map((client) => new GrantedView(client));
  await until(() => views.every(({ bookmarks }) => bookmarks > 0), SOON);
  for (const { call } of views) call.pause();
  const reader = new GrantedView(await partner.fleet());
  const title = (turn: number): string => `${turn} ${'x'.repeat(30_000)}`;
  let newest = '';
  for (let turn = 0; turn < 200; turn++) {
    newest = title(turn);
    host.put(agentRow({ key: 'a', agent: 'coder0-0', role: newest }));
    await until(() => reader.rows.get('dragon-lin/u a')?.role === newest, SOON);
  }
  const framesOf = ({ frames }: GrantedView): number => frames.length;
  for (const { call } of views) call.resume();
  await until(() => views.every(({ rows }) => rows.get('dragon-lin/u a')?.role === newest), SOON);
  // Six megabytes were said to the reader; what was not read was coalesced.
  for (const view of views) expect(framesOf(view)).toBeLessThan(framesOf(reader) / 2);
  for (const { call } of [...views, reader]) call.cancel();
});
