/**
 * Everything that a tenant can ask is asked about another one's things and about things that do not exist. The answers are
 * compared byte by byte, apart from the name that was asked for.
 */
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FleetServiceClient, FleetServiceService } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const done = (id: string): OrderOutcome => ({
  id,
  address: '',
  verb: 'keys',
  outcome: 'accepted',
  reason: '',
  actor: '',
  beganMs: 1,
  endedMs: 2,
  repeated: false,
});
const calls = { pressKeys: async ({ id }: { id: string }) => done(id) };

let cell: SimulatedCell;
let mine: SimulatedHost;
let theirs: SimulatedHost;
let client: FleetServiceClient;

beforeAll(async () => {
  cell = await SimulatedCell.start();
  mine = await cell.host('W-both', { user: 'ours', tenantId: 'ours', calls });
  await cell.host('W-both', { user: 'beta', tenantId: 'beta', calls });
  theirs = await cell.host('W-beta', { tenantId: 'beta', calls });
  // Nothing else than whose they are keeps this tenant's callers from them.
  await cell.allow('W-both', ['send', 'lifecycle', 'deploy', 'takeover']);
  client = cell.as(mine);
  await pressKeys(cell.as(theirs), 'order-1', `${theirs.id}`);
});
afterAll(() => cell?.end());

const pressKeys = (caller: FleetServiceClient, id: string, hostAgent: string): Promise<string> =>
  answerOf(caller, 'pressKeys', {
    id,
    target: target(hostAgent, 'a'),
    keys: ['Escape'],
    ifPrompt: '',
    blind: false,
    timeoutMs: 0,
  });

const target = (hostAgent: string, key: string) => ({ hostAgent, key, paneId: '%1', panePid: 1 });

/** All that came back: messages, code, words and what trails behind. */
const answerOf = (caller: FleetServiceClient, method: string, request: object): Promise<string> =>
  new Promise((resolve) => {
    const { responseStream } = FleetServiceService[method as keyof typeof FleetServiceService];
    const ask = (caller as unknown as Record<string, (...args: unknown[]) => unknown>)[method] as (
      ...args: unknown[]
    ) => unknown;
    const told: unknown[] = [];
    const over = (error: ServiceError | null): void =>
      resolve(JSON.stringify({ told, error: error && [error.code, error.details, error.metadata.toJSON()] }, asText));
    if (!responseStream) {
      ask.call(caller, request, (error: ServiceError | null, answer: unknown) => {
        if (error === null) told.push(answer);
        over(error);
      });
      return;
    }
    const call = ask.call(caller, request) as ClientReadableStream<unknown>;
    call.on('data', (message) => told.push(message));
    call.on('error', (error: ServiceError) => over(error));
    call.on('end', () => over(null));
  });

const asText = (key: string, value: unknown): unknown => {
  if (key === 'date') return undefined;
  return typeof value === 'bigint' ? String(value) : value;
};

const roster = (hostAgent: string) => ({
  id: 'r1',
  hostAgent,
  text: 'version: 2',
  expectedDigest: '',
  force: false,
  timeoutMs: 0,
});
const control = (hostAgent: string, key: string, action: string) => ({
  id: 'c1',
  target: target(hostAgent, key),
  action,
  force: false,
  timeoutMs: 0,
  rosterDigest: '',
  adopt: false,
  migrate: false,
  purge: false,
});

/** Each question as a caller may put it about an agent, whose key is `key`, of a host-agent. */
const QUESTIONS: Record<string, (hostAgent: string, key: string) => [method: string, request: object]> = {
  watchTerminal: (hostAgent, key) => ['watchTerminal', { hostAgent, key, minIntervalMs: 0 }],
  tailTerminal: (hostAgent, key) => ['tailTerminal', { hostAgent, key, lines: 5, follow: false, lastRun: 0 }],
  explainAgent: (hostAgent, key) => ['explainAgent', { hostAgent, key }],
  diagnose: (hostAgent) => ['diagnose', { host: hostAgent }],
  sendText: (hostAgent, key) => [
    'sendText',
    { id: 's1', target: target(hostAgent, key), text: 'x', verify: true, timeoutMs: 0, waitIdleMs: 0, noLabel: false },
  ],
  pressKeys: (hostAgent, key) => [
    'pressKeys',
    { id: 'k1', target: target(hostAgent, key), keys: ['Escape'], ifPrompt: '', blind: false, timeoutMs: 0 },
  ],
  answerPrompt: (hostAgent, key) => [
    'answerPrompt',
    { id: 'a1', target: target(hostAgent, key), promptId: 'p', choice: '1', timeoutMs: 0 },
  ],
  'controlAgent restart': (hostAgent, key) => ['controlAgent', control(hostAgent, key, 'restart')],
  'controlAgent deploy': (hostAgent, key) => ['controlAgent', control(hostAgent, key, 'deploy')],
  'controlAgent of a holder': (hostAgent) => [
    'controlAgent',
    control(hostAgent, 'holder:mosaic-tmux-holder.service', 'restart'),
  ],
  holdTerminal: (hostAgent, key) => [
    'holdTerminal',
    { id: 'h1', target: target(hostAgent, key), takeover: false, width: 0, height: 0 },
  ],
  typeKeys: (hostAgent, key) => ['typeKeys', { target: target(hostAgent, key), lease: 'l', sequence: 1n, strokes: [] }],
  getRoster: (hostAgent) => ['getRoster', { hostAgent }],
  putRoster: (hostAgent) => ['putRoster', roster(hostAgent)],
  putIntent: (hostAgent) => [
    'putIntent',
    { id: 'i1', hostAgent, expiresMs: 0, steps: [{ putRoster: roster(hostAgent) }] },
  ],
  'putIntent withdrawn': (hostAgent) => ['putIntent', { id: '', hostAgent, expiresMs: 0, steps: [] }],
  getIntent: (hostAgent) => ['getIntent', { hostAgent }],
  listOrders: (hostAgent) => ['listOrders', { hostAgent, newest: 0, sinceMs: 0 }],
  getAuditHeads: (hostAgent) => ['getAuditHeads', { hostAgent }],
  watchEvents: (hostAgent) => ['watchEvents', { follow: false, afterRevision: 0n, sinceMs: 0, hosts: [hostAgent] }],
};

describe('what is another tenant’s answers like what does not exist', () => {
  it.each(Object.keys(QUESTIONS))('%s', async (name) => {
    const question = QUESTIONS[name] as NonNullable<(typeof QUESTIONS)[string]>;
    const ask = async (hostAgent: string, key: string): Promise<string> => {
      const answer = await answerOf(client, ...question(hostAgent, key));
      return answer.replaceAll(hostAgent, 'ASKED').replace(/"revision":"\d+"/g, '"revision":""');
    };
    const none = await ask('W-none/u', 'a');
    expect(none).not.toContain('beta');
    // Of a host of its own, of one where both are, and of an agent that is not there either.
    expect(await ask('W-beta/u', 'a')).toBe(none);
    expect(await ask('W-beta/u', 'nothing')).toBe(none);
    expect(await ask('W-both/beta', 'a')).toBe(none);
    expect(await ask('W-both/none', 'a')).toBe(none);
  });

  it('asks everything that the service has', () => {
    const asked = new Set(Object.values(QUESTIONS).map((question) => question('x', 'y')[0]));
    const whole = ['watchAgents', 'whoAmI', 'getOrder'];
    expect([...asked, ...whole].sort()).toEqual(Object.keys(FleetServiceService).sort());
  });

  it('by the name of a machine: theirs, one that is none, and one where this tenant is alone in its own eyes', async () => {
    const ask = async (host: string): Promise<string> =>
      (await answerOf(client, 'diagnose', { host })).replaceAll(host, 'ASKED');
    expect(await ask('W-beta')).toBe(await ask('W-none'));
    const own = await answerOf(client, 'diagnose', { host: 'W-both' });
    expect(own).toContain('W-both/ours connected');
    expect(own).not.toContain('beta');
  });

  it('by the id of an order, which is nobody’s elsewhere', async () => {
    const ask = async (id: string): Promise<string> =>
      (await answerOf(client, 'getOrder', { id })).replaceAll(id, 'ASKED');
    expect(await ask('order-1')).toBe(await ask('order-0'));
    expect(await pressKeys(client, 'order-1', mine.id)).toContain('"outcome":"accepted"');
  });
});

describe('what a tenant is told by itself', () => {
  it('names and counts nothing of others', async () => {
    const all = { follow: false, afterRevision: 0n, sinceMs: 3_600_000, hosts: [] };
    const view = { follow: false, resumeToken: '', localOnly: false, hostsOnly: false };
    const told = [
      await answerOf(client, 'watchAgents', view),
      await answerOf(client, 'whoAmI', {}),
      await answerOf(client, 'watchEvents', all),
    ].join('\n');
    expect(told).toContain('W-both/ours');
    expect(told).not.toContain('beta');
  });

  it('is the same frames whatever happens elsewhere: no empty one, no number of theirs', async () => {
    const frames: WatchAgentsResponse[] = [];
    const follow = { follow: true, resumeToken: '', localOnly: false, hostsOnly: false };
    const call = client.watchAgents(follow).on('data', (frame: WatchAgentsResponse) => {
      if (!frame.heard) frames.push(frame);
    });
    call.on('error', () => {});
    const events: { revision: bigint; events: unknown[] }[] = [];
    const eventCall = client
      .watchEvents({ follow: true, afterRevision: 0n, sinceMs: 0, hosts: [] })
      .on('data', (message) => events.push(message));
    eventCall.on('error', () => {});
    await until(() => frames.some((frame) => frame.bookmark) && events.length > 0, SOON);
    const begin = frames.length;
    for (const n of [1, 2, 3]) {
      theirs.put(agentRow({ key: `b${n}`, agent: `b${n}`, readiness: 'available' }));
      await until(async () => [...(await cell.controller.view()).rowsOf(theirs.id)].length === 1 + n, SOON);
    }
    mine.put(agentRow({ key: 'a', agent: 'coder0-0', readiness: 'available' }));
    await until(() => events.some((message) => message.events.length > 0), SOON);
    await until(() => frames.length >= begin + 2, SOON);
    const news = frames.slice(begin);
    const changed = news.flatMap(({ changes }) => changes ?? []);
    // A word for each change of its own, and for nothing else.
    expect(news.filter(({ bookmark }) => bookmark)).toHaveLength(changed.length);
    const named = changed.map(({ agents, hostAgents }) => [
      ...agents.map(({ hostAgent }) => hostAgent),
      ...hostAgents.map(({ id }) => id),
    ]);
    expect(named.every((ids) => ids.length > 0 && ids.every((id) => id === mine.id))).toBe(true);
    const tokens = frames.flatMap((frame) => frame.bookmark?.resumeToken ?? []);
    expect(tokens.every((token) => /^[0-9a-f]{32}$/.test(token))).toBe(true);
    // Places of the clock, in microseconds: no count.
    const hourMs = 3_600_000;
    for (const { revision } of events) {
      expect(Math.abs(Number(revision) / 1_000 - Date.now())).toBeLessThan(hourMs);
    }
    call.cancel();
    eventCall.cancel();
  });
});
