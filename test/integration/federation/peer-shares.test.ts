import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PEER_SHARES } from '../../../controller/grpc/peer-shares.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { WhoAmIResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { GrantedView } from '../../helpers/granted-view.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const TAIL = { hostAgent: 'dragon-lin/u', key: 'a', lines: 10, follow: true, lastRun: 0 };

let cell: SimulatedCell;
let partner: ForeignCell;
/** Tails that stand at the host. */
let standing: number;
beforeEach(async () => {
  standing = 0;
  cell = await SimulatedCell.start();
  partner = await ForeignCell.joined(cell.controller);
  await cell.host('dragon-lin', {
    calls: {
      tailTerminal: async (_request, sink, { signal }) => {
        standing++;
        sink.write({ lines: ['a line'], fullScreen: false, missed: 0, end: undefined, run: undefined });
        if (!signal.aborted) await once(signal, 'abort');
        standing--;
      },
    },
  });
  await partner.grant({ verbs: ['watch'] });
});
afterEach(async () => {
  partner?.close();
  await cell?.end();
});

/** A tail, once it shows something; rejects with its error. */
const tail = async (client: FleetServiceClient, from: ForeignCell | null = partner) => {
  const call = from === null ? client.tailTerminal(TAIL) : client.tailTerminal(TAIL, from.behalf());
  const failed = new Promise<never>((_, reject) => call.on('error', reject));
  failed.catch(() => undefined);
  call.resume();
  await Promise.race([once(call, 'data'), failed]);
  return call;
};
test('a peer holds its share of calls and no more, and leaves the host to our own operators', async () => {
  const clients = await Promise.all([partner.fleet(), partner.fleet()]);
  const calls = await Promise.all(
    Array.from({ length: PEER_SHARES.calls }, (_, at) => tail(clients[at % 2] as FleetServiceClient)),
  );
  // Another certificate of it is the same peer.
  const refused = await failureOf(tail(await partner.fleet()));
  expect(refused).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringContaining('cell partner holds 64 calls open here already'),
  });
  expect(standing).toBe(PEER_SHARES.calls);
  const rows = new GrantedView(await partner.fleet());
  await until(() => rows.names.length === 1, SOON);
  const own = await Promise.all(Array.from({ length: 100 }, () => tail(cell.admin(), null)));
  const second = await ForeignCell.joined(cell.controller, 'second');
  await second.grant({ verbs: ['watch'] });
  const theirs = await tail(await second.fleet(), second);
  calls.pop()?.cancel();
  await until(() => tail(clients[0]).then((call) => calls.push(call)), SOON);
  for (const call of [...calls, ...own, theirs]) call.cancel();
  await until(() => standing === 0, SOON);
  await tail(clients[0]);
  rows.call.cancel();
  second.close();
});

test('a peer has its rows told to so many streams at most, and its other calls are let in all the same', async () => {
  const client = await partner.fleet();
  const views = Array.from({ length: PEER_SHARES.rows + 1 }, () => new GrantedView(client));
  await until(() => views.filter(({ bookmarks }) => bookmarks > 0).length === PEER_SHARES.rows, SOON);
  const refused = await until(() => views.find(({ failure }) => failure !== null), SOON);
  expect(refused.failure?.code).toBe(status.RESOURCE_EXHAUSTED);
  await tail(client);
  for (const { call } of views) call.cancel();
  await until(() => unary<WhoAmIResponse>((done) => client.whoAmI({}, done)), SOON);
});
