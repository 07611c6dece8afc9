import { afterEach, beforeEach, expect, test } from 'vitest';
import { Refusal } from '../../../controller/grpc/refusal.ts';
import { GrantsChanged } from '../../../controller/tenancy/granted.ts';
import { listPeers } from '../../../src/cli/client/peer-methods.ts';
import type { Peer } from '../../../src/wire/gen/fleet/v1/peers.ts';
import { BOOKMARK, HostilePeer, OPENED, type ToldStream } from '../../helpers/hostile-peer.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };

let home: SimulatedCell;
let peer: HostilePeer | null = null;
beforeEach(async () => {
  home = await SimulatedCell.start();
});
afterEach(async () => {
  await home?.end();
  await peer?.end();
  peer = null;
});

const told = async (): Promise<Peer | undefined> => {
  const { peers } = await home.controller.admin((channel) => channel.unary(listPeers, {}, { deadlineMs: 5_000 }));
  return peers[0];
};

test.each<[string, () => Error]>([
  ['its grants have changed', () => new GrantsChanged()],
  ['we are revoked', () => new Refusal('UNAUTHENTICATED', 'revoked')],
  ['it stops', () => new Refusal('UNAVAILABLE', 'controller_stopping')],
])('a peer that says after each bookmark that %s is asked less and less often', async (_, word) => {
  peer = await HostilePeer.joined(home, async ({ say }: ToldStream) => {
    await say(OPENED);
    await say(BOOKMARK);
    throw word();
  });
  const link = await until(async () => {
    const now = (await told())?.link;
    return now?.breaker === 'open' && now.state !== 'connected' ? now : null;
  }, SOON);
  expect(peer.asked.length).toBeLessThanOrEqual(4);
  expect(link).toMatchObject({ state: expect.stringMatching(/^(resuming|revoked)$/), reason: expect.any(String) });
  expect(link.nextTryInMs).toBeGreaterThan(0);
});
