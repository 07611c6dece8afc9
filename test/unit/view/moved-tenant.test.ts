/** A host-agent that becomes another tenant's: what each reader is told of it, live and when it comes back. */
import { beforeEach, expect, test } from 'vitest';
import type { FleetEvent } from '../../../src/domain/fleet-event.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { ViewEvents } from '../../../src/view/view-events.ts';
import { ViewImage } from '../../../src/view/view-image.ts';
import { streamView } from '../../../src/view/view-stream.ts';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';

const ID = 'W-jarvis/u';
let clock: MovedClock;
let view: FleetView;

const belongTo = (tenantId: string): void =>
  view.putHostAgent({
    id: ID,
    cell: 'home',
    host: 'W-jarvis',
    user: 'u',
    tenantId,
    here: false,
    linkState: 'connected',
    linkReason: null,
    linkSinceMono: 0,
    facts: null,
    heardAtMono: 0,
    clockSkewMs: null,
    behind: null,
  });
const put = (key: string, readiness = 'working'): boolean =>
  view.putRow(ID, key, Buffer.from(encodeAgentRow(agentRow({ key, agent: key, readiness }))));

beforeEach(() => {
  clock = new MovedClock();
  view = new FleetView({ clock });
  belongTo('a');
  for (const key of ['one', 'two']) put(key);
});

/** Whoever sees `tenants`, with a copy of its own that goes on from where it stopped. */
class Reader {
  readonly image: ViewImage;
  readonly copy: FleetView;
  readonly frames: WatchAgentsResponse[] = [];
  readonly #tenants: 'all' | string[];

  constructor(tenants: 'all' | string[]) {
    this.copy = new FleetView({ clock });
    this.image = new ViewImage({ view: this.copy, clock });
    this.#tenants = tenants;
  }

  async look(tenants = this.#tenants): Promise<string[]> {
    const request = { follow: false, resumeToken: this.image.resumeToken, localOnly: false, hostsOnly: false };
    const scope = {
      cell: 'home',
      caller: { name: 'u', role: 'operator', tenantId: 'a', kind: 'host' },
      sees: ({ tenantId }: { tenantId: string }) => tenants === 'all' || tenants.includes(tenantId),
      scope: String(tenants),
      hereOnly: false,
      upstream: () => ({ state: 'self', address: '', ageMs: 0, peers: [] }),
    };
    const sink = {
      write: (frame: WatchAgentsResponse) => {
        this.frames.push(frame);
        this.image.apply(frame);
        return true;
      },
      drained: async () => {},
    };
    await streamView(view, request, scope, sink, clock, new AbortController().signal);
    return this.held;
  }

  get held(): string[] {
    return [...this.copy.hostAgents()].flatMap(({ id, tenantId }) => [
      `${id} ${tenantId}`,
      ...[...this.copy.rowsOf(id).keys()].sort(),
    ]);
  }

  get resumed(): boolean | undefined {
    return this.frames.findLast((frame) => frame.opened)?.opened?.resumed;
  }
}

test('leaves the old tenant’s readers as removals, comes to the new one’s, and stays with those who see both', async () => {
  const [old, next, all] = [new Reader(['a']), new Reader(['b']), new Reader('all')];
  expect(await old.look()).toEqual([`${ID} a`, 'one', 'two']);
  expect(await next.look()).toEqual([]);
  expect(await all.look()).toEqual([`${ID} a`, 'one', 'two']);
  belongTo('b');
  expect(await old.look()).toEqual([]);
  expect(old.resumed).toBe(true);
  expect(old.frames.flatMap((frame) => frame.changes?.removedHostAgents ?? [])).toEqual([ID]);
  expect(await next.look()).toEqual([`${ID} b`, 'one', 'two']);
  expect(next.resumed).toBe(true);
  expect(await all.look()).toEqual([`${ID} b`, 'one', 'two']);
  expect(all.resumed).toBe(true);
});

test('what came and went while it was another tenant’s is told to nobody else, and what went then is gone on its return', async () => {
  const old = new Reader(['a']);
  await old.look();
  belongTo('b');
  put('secret');
  view.removeRow(ID, 'secret');
  view.removeRow(ID, 'one');
  put('three');
  belongTo('a');
  expect(await old.look()).toEqual([`${ID} a`, 'three', 'two']);
  expect(JSON.stringify(old.frames)).not.toContain('secret');
});

test('a removed host-agent is gone for whoever saw it last, and was for those before', async () => {
  const [old, next] = [new Reader(['a']), new Reader(['b'])];
  await old.look();
  belongTo('b');
  await next.look();
  view.removeHostAgent(ID);
  expect(await old.look()).toEqual([]);
  expect(await next.look()).toEqual([]);
});

test('a reader whose own scope changed begins anew, and a place of another log or scope says nothing', async () => {
  const reader = new Reader(['a']);
  await reader.look();
  expect(await reader.look(['b'])).toEqual([]);
  expect(reader.resumed).toBe(false);
  const { resumeTokens } = view;
  const token = resumeTokens.seal(7n, 'a');
  expect(resumeTokens.open(token, 'a')).toBe(7n);
  expect(resumeTokens.open(token, 'b')).toBeNull();
  expect(new FleetView({ clock }).resumeTokens.open(token, 'a')).toBeNull();
  for (const nonsense of ['', 'x', `${token}00`, token.toUpperCase()])
    expect(resumeTokens.open(nonsense, 'a')).toBeNull();
});

test('is no event: its agents neither ended nor began, and what happens next is the new tenant’s', () => {
  const events = new ViewEvents({ view, clock });
  const happened = (): FleetEvent[] => events.take().events;
  belongTo('b');
  expect(happened()).toEqual([]);
  put('one', 'available');
  expect(happened()).toMatchObject([{ kind: 'waiting', agent: 'one', tenantId: 'b' }]);
});
