import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PEER_SHARES } from '../../../controller/grpc/call-shares.ts';
import { PEERS_AT_HOST } from '../../../controller/uplink/peers-at-host.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { WhoAmIResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { MAX_TUNNEL_CALLS } from '../../../src/wire/host-calls.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { GrantedView } from '../../helpers/granted-view.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const HOSTS = ['dragon-lin', 'W-jarvis'];
const SOON = { timeoutMs: 30_000 };
const TAIL = { key: 'a', lines: 10, follow: true, lastRun: 0 };

let cell: SimulatedCell;
let partner: ForeignCell;
/** Tails that stand at the host. */
let standing: number;
beforeEach(async () => {
  standing = 0;
  cell = await SimulatedCell.start();
  partner = await ForeignCell.joined(cell.controller);
  for (const name of HOSTS) {
    await cell.host(name, {
      calls: {
        tailTerminal: async (_request, sink, { signal }) => {
          standing++;
          sink.write({ lines: ['a line'], fullScreen: false, missed: 0, end: undefined, run: undefined });
          if (!signal.aborted) await once(signal, 'abort');
          standing--;
        },
      },
    });
  }
  await partner.grant({ verbs: ['watch'] });
});
afterEach(async () => {
  partner?.close();
  await cell?.end();
});

/** A tail, once it shows something; rejects with its error. */
const tail = async (client: FleetServiceClient, from: ForeignCell | null = partner, host = 'dragon-lin') => {
  const request = { ...TAIL, hostAgent: `${host}/u` };
  const call = from === null ? client.tailTerminal(request) : client.tailTerminal(request, from.behalf());
  const failed = new Promise<never>((_, reject) => call.on('error', reject));
  failed.catch(() => undefined);
  call.resume();
  await Promise.race([once(call, 'data'), failed]);
  return call;
};
test('a peer holds its share of calls and no more, and leaves the host to our own operators', async () => {
  const clients = await Promise.all([partner.fleet(), partner.fleet()]);
  const calls = await Promise.all(
    Array.from({ length: PEER_SHARES.calls }, (_, at) =>
      tail(clients[at % 2] as FleetServiceClient, partner, HOSTS[Math.floor(at / PEERS_AT_HOST.each)]),
    ),
  );
  // Another certificate of it is the same peer.
  const refused = await failureOf(tail(await partner.fleet()));
  expect(refused).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringContaining('cell partner holds 64 calls open here already'),
  });
  expect(standing).toBe(PEER_SHARES.calls);
  const rows = new GrantedView(await partner.fleet());
  await until(() => rows.names.length === HOSTS.length, SOON);
  const own = await Promise.all(Array.from({ length: 100 }, () => tail(cell.admin(), null)));
  const second = await ForeignCell.joined(cell.controller, 'second');
  await second.grant({ verbs: ['watch'] });
  const theirs = await tail(await second.fleet(), second);
  calls.shift()?.cancel();
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

test('of one host all peers together hold half of the calls, one peer its part of that, and the rest is our own operators’', async () => {
  const peers = [partner];
  for (let number = 2; number <= 5; number++) {
    const peer = await ForeignCell.joined(cell.controller, `peer-${number}`);
    await peer.grant({ verbs: ['watch'] });
    peers.push(peer);
  }
  const clients = await Promise.all(peers.map((peer) => peer.fleet()));
  const many = (count: number, at: number) =>
    Promise.all(Array.from({ length: count }, () => tail(clients[at] as FleetServiceClient, peers[at])));
  const first = await many(PEERS_AT_HOST.each, 0);
  const full = {
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringContaining('calls of other cells to dragon-lin/u'),
  };
  expect(await failureOf(many(1, 0))).toMatchObject(full);
  const theirs = [first, ...(await Promise.all([1, 2, 3].map((at) => many(PEERS_AT_HOST.each, at))))].flat();
  expect(theirs).toHaveLength(PEERS_AT_HOST.all);
  expect(await failureOf(many(1, 4))).toMatchObject(full);
  const rest = MAX_TUNNEL_CALLS - PEERS_AT_HOST.all;
  const own = await Promise.all(Array.from({ length: rest }, () => tail(cell.admin(), null)));
  expect(standing).toBe(MAX_TUNNEL_CALLS);
  // What one gives back another has; a call that ends by itself is given back, too.
  theirs[0]?.cancel();
  const late = await until(() => many(1, 4), SOON);
  for (const call of [...theirs, ...own, ...late]) call.cancel();
  await until(() => standing === 0, SOON);
  for (const call of await until(() => many(PEERS_AT_HOST.each, 0), SOON)) call.cancel();
  for (const peer of peers.slice(1)) peer.close();
});
