import { beforeEach, expect, test } from 'vitest';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { ViewEvents } from '../../../src/view/view-events.ts';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';

const HOST = { cell: 'home', host: 'h', user: 'u', tenantId: 'acme', here: false };
const clock = new MovedClock();
let view: FleetView;
const put = (agent: string, over = {}): void => {
  const row = agentRow({ key: agent, agent, readiness: 'available', ...over });
  view.putRow('h/u', agent, encodeAgentRow(row));
};
/** Everything that is new, in as many steps as it takes. */
const takeAll = (events: ViewEvents): { words: string[]; steps: number } => {
  const words: string[] = [];
  for (let steps = 1; ; steps++) {
    const taken = events.take();
    words.push(...taken.events.map(({ kind, agent, reason }) => [kind, agent, reason].filter(Boolean).join(' ')));
    if (!taken.more) return { words, steps };
  }
};

beforeEach(() => {
  view = new FleetView({ clock, maxRemovals: 2 });
  view.putHostAgent({
    ...HOST,
    id: 'h/u',
    linkState: 'unconfirmed',
    linkReason: 'controller_started',
    linkSinceMono: 0,
    facts: null,
    heardAtMono: 0,
    clockSkewMs: null,
    behind: null,
  });
});

test('what is held at the beginning is no news, and a host that is confirmed was not away', () => {
  put('a');
  const events = new ViewEvents({ view, clock });
  view.setLink('h/u', 'connected', null);
  put('a', { rssBytes: 1 });
  expect(takeAll(events).words).toEqual([]);
});

test('a host is lost once and back once, whatever lies between', () => {
  const events = new ViewEvents({ view, clock });
  view.setLink('h/u', 'connected', null);
  view.setLink('h/u', 'resuming', 'silent');
  expect(takeAll(events).words).toEqual([]);
  view.setLink('h/u', 'lost', 'silent');
  expect(takeAll(events).words).toEqual(['host-lost silent']);
  view.setLink('h/u', 'lost', 'stopped');
  view.setLink('h/u', 'unconfirmed', 'controller_paused');
  expect(takeAll(events).words).toEqual([]);
  view.setLink('h/u', 'connected', null);
  expect(takeAll(events).words).toEqual(['host-back']);
});

test('one that was told to be lost before this run is not lost again', () => {
  const events = new ViewEvents({ view, clock, lost: new Set(['h/u']) });
  view.setLink('h/u', 'lost', 'silent');
  expect(takeAll(events).words).toEqual([]);
  view.setLink('h/u', 'connected', null);
  expect(takeAll(events).words).toEqual(['host-back']);
});

test('an operator who removes a host ends no agent; the same host later begins anew', () => {
  const events = new ViewEvents({ view, clock });
  put('a');
  expect(takeAll(events).words).toEqual(['waiting a']);
  view.removeHostAgent('h/u');
  expect(takeAll(events).words).toEqual([]);
});

test('a thousand rows at once are taken in steps, in their order', () => {
  const events = new ViewEvents({ view, clock });
  for (let n = 0; n < 1_000; n++) put(`a${n}`);
  const { words, steps } = takeAll(events);
  expect(words.slice(0, 2)).toEqual(['waiting a0', 'waiting a1']);
  expect([words.length, steps]).toEqual([1_000, 5]);
});

test('a reader that fell behind what is remembered of removals goes on with what is there', () => {
  const events = new ViewEvents({ view, clock });
  const tmux = {
    socket: '/s',
    session: 'a',
    sessionId: '$0',
    groupMembers: [],
    pid: 7,
    command: null,
    title: null,
    cwd: null,
  };
  put('a', { tmux });
  for (const name of ['b', 'c', 'd']) put(name);
  takeAll(events);
  for (const name of ['a', 'b', 'c']) view.removeRow('h/u', name);
  put('d', { readiness: 'working' });
  put('d');
  put('e');
  expect(takeAll(events).words).toEqual(['down a session ended', 'waiting e']);
});

test('only of those that are meant', () => {
  const events = new ViewEvents({ view, clock, isMeant: ({ here }) => here });
  put('a');
  view.setLink('h/u', 'lost', 'silent');
  expect(takeAll(events).words).toEqual([]);
});
