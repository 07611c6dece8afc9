import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PACE } from '../../../controller/federation/pace.ts';
import { Refusal } from '../../../controller/grpc/refusal.ts';
import { GrantsChanged } from '../../../controller/tenancy/granted.ts';
import { listPeers } from '../../../src/cli/client/peer-methods.ts';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import type { Peer } from '../../../src/wire/gen/fleet/v1/peers.ts';
import { hostAgentToWire } from '../../../src/wire/host-agent.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { hostAgent } from '../../helpers/host-agent.ts';
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

const changes = (hosts: string[], agents: { hostAgent: string; key: string; row: Buffer }[] = []) => ({
  changes: {
    hostAgents: hosts.map((host) =>
      hostAgentToWire(hostAgent({ id: `${host}/u`, cell: 'partner', host, user: 'u', here: false })),
    ),
    agents,
    removedHostAgents: [],
    removedAgents: [],
  },
});
const row = (key: string, bytes = Buffer.from(encodeAgentRow(agentRow({ key })))) => ({
  hostAgent: 'h/u',
  key,
  row: bytes,
});
const left = async ({ signal }: ToldStream): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};
const reasonOf = async (): Promise<string | undefined> => {
  const { link } = (await told()) ?? {};
  return link?.state === 'connected' ? link.reason : undefined;
};

const told = async (): Promise<Peer | undefined> => {
  const { peers } = await home.controller.admin((channel) => channel.unary(listPeers, {}, { deadlineMs: 5_000 }));
  return peers[0];
};

test.each<[string, number, () => Error]>([
  // As often in a row as an administrator may change them at once, and then as any other.
  ['its grants have changed', 8 + 4, () => new GrantsChanged()],
  ['we are revoked', 4, () => new Refusal('UNAUTHENTICATED', 'revoked')],
  ['it stops', 4, () => new Refusal('UNAVAILABLE', 'controller_stopping')],
])('a peer that says after each bookmark that %s is asked less and less often', async (_, atMost, word) => {
  peer = await HostilePeer.joined(home, async ({ say }: ToldStream) => {
    await say(OPENED);
    await say(BOOKMARK);
    throw word();
  });
  const link = await until(async () => {
    const now = (await told())?.link;
    return now?.breaker === 'open' && now.state !== 'connected' ? now : null;
  }, SOON);
  expect(peer.asked.length).toBeLessThanOrEqual(atMost);
  expect(link).toMatchObject({ state: expect.stringMatching(/^(resuming|revoked)$/), reason: expect.any(String) });
  expect(link.nextTryInMs).toBeGreaterThan(0);
});

test('a peer that tells of more rows than it may is held to them, and its line says so', async () => {
  peer = await HostilePeer.joined(home, async (stream) => {
    await stream.say(OPENED);
    await stream.say(changes(['h']));
    for (let at = 0; at < 11_000; at += 500)
      await stream.say(
        changes(
          [],
          Array.from({ length: 500 }, (_, more) => row(`k${at + more}`)),
        ),
      );
    await stream.say(BOOKMARK);
    await left(stream);
  });
  await until(async () => (await reasonOf()) === 'row limit', SOON);
  expect(await told()).toMatchObject({ rows: 10_000, rowLimit: 10_000 });
  expect([...(await home.controller.view()).rowsOf('partner/h/u')]).toHaveLength(10_000);
  expect(peer.asked).toHaveLength(1);
});

test('rows that are none, too long, or under words without end are left out alone, and the line says so', async () => {
  peer = await HostilePeer.joined(home, async (stream) => {
    await stream.say(OPENED);
    const endless = 'x'.repeat(5_000);
    const agents = [row('a'), row('long', Buffer.alloc(70_000)), row('none', Buffer.from([0xff])), row(endless)];
    await stream.say(changes(['h', '../etc'], agents));
    await stream.say(BOOKMARK);
    await left(stream);
  });
  await until(async () => (await reasonOf()) === 'rows refused', SOON);
  const view = await home.controller.view();
  expect([...view.hostAgentIds()]).toEqual(['partner/h/u']);
  expect([...view.rowsOf('partner/h/u')].map(({ key }) => key)).toEqual(['a']);
});

test('a frame that is larger than any may be ends the line, which says so and waits', async () => {
  peer = await HostilePeer.joined(home, async (stream) => {
    await stream.say(OPENED);
    await stream.say(changes(['h'], [row('huge', Buffer.alloc(2 * 1024 * 1024))]));
    await left(stream);
  });
  const link = await until(async () => {
    const now = (await told())?.link;
    return now?.breaker === 'open' ? now : null;
  }, SOON);
  expect(link.reason).toContain('larger than max');
  expect([...(await home.controller.view()).hostAgentIds()]).toEqual([]);
});

test('a peer that tells without end is read at a pace, whatever it sends', async () => {
  let sentBytes = 0;
  const { burstBytes, bytesPerSecond } = PACE;
  const agents = Array.from({ length: 12 }, (_, at) =>
    row(`k${at}`, Buffer.from(encodeAgentRow(agentRow({ key: `k${at}`, role: 'r'.repeat(40_000) })))),
  );
  const bytes = agents.reduce((sum, each) => sum + each.row.length, 0);
  const sending = Promise.withResolvers<number>();
  peer = await HostilePeer.joined(home, async (stream) => {
    await stream.say(OPENED);
    await stream.say(changes(['h']));
    await stream.say(BOOKMARK);
    const begunMs = performance.now();
    while (await stream.say(changes([], agents))) {
      sentBytes += bytes;
      // Sixteen frames wait with the sender, who calls them sent.
      if (sentBytes > burstBytes + 3 * bytesPerSecond + 16 * bytes) sending.resolve(performance.now() - begunMs);
    }
  });
  expect(await sending.promise).toBeGreaterThan(2_000);
  expect((await told())?.link?.state).toBe('connected');
});
