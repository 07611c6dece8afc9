import { expect, test } from 'vitest';
import { ChangeFeed } from '../../../src/cli/change-feed.ts';
import { LiveView } from '../../../src/cli/client/live-view.ts';
import { type AgentFilter, EVERYTHING } from '../../../src/domain/agent-filter.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { bookmark, changes, opened } from '../../helpers/fleet-mirror.ts';
import { hostAgent } from '../../helpers/host-agent.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';

const host = hostAgent();
const one = agentRow({ key: 'one', agent: 'one' });
const two = agentRow({ key: 'two', agent: 'two', order: 1 });

const feedOf = (filter: Partial<AgentFilter> = {}) => {
  const endpoint = { at: { path: '/nowhere' }, what: 'host-agent', mend: '' };
  const live = new LiveView({ endpoint, localOnly: false, hostsOnly: false, clock: new MovedClock() });
  const feed = new ChangeFeed(live, { filter: { ...EVERYTHING, ...filter }, localOnly: false, compare: null });
  return (nowMono: number, ...frames: WatchAgentsResponse[]): string[] => {
    for (const frame of frames) live.mirror.apply(frame, nowMono);
    return [...feed.lines(nowMono)].map((line) => {
      const { event, agent, address, gone, complete, host_agent } = JSON.parse(line);
      if (event === 'agent')
        return `agent ${agent.agent} ${agent.readiness} ${agent.current ? 'current' : 'as last seen'}`;
      if (event === 'agent_removed') return `removed ${address.split('/').at(-1)} ${gone ? 'gone' : 'unmatched'}`;
      if (event === 'host_agent') return `host_agent ${host_agent.link.state}`;
      return event === 'view' ? `view ${complete ? 'complete' : 'partial'}` : event;
    });
  };
};

const snapshot = [
  opened(),
  changes({
    hosts: [host],
    rows: [
      [host.id, one],
      [host.id, two],
    ],
  }),
  bookmark(),
];

test('first the whole view, then only what changes; ages alone are silent', () => {
  const lines = feedOf();
  expect(lines(0, ...snapshot)).toEqual([
    'view complete',
    'host_agent connected',
    'agent one working current',
    'agent two working current',
  ]);
  expect(lines(3_000)).toEqual([]);
  const dead = { ...two, readiness: 'dead' };
  expect(lines(4_000, changes({ rows: [[host.id, dead]] }), bookmark())).toEqual(['agent two dead current']);
  const removed = changes({ removedAgents: [{ hostAgent: host.id, key: 'one' }] });
  expect(lines(4_500, removed, bookmark())).toEqual(['removed one gone']);
});

test('a lost link is told once, and with it every row that is no longer current', () => {
  const lines = feedOf();
  lines(0, ...snapshot);
  const lost = { ...host, link: { state: 'lost', reason: 'silent', ageMs: 0 } };
  expect(lines(1_000, changes({ hosts: [lost] }), bookmark())).toEqual([
    'view partial',
    'host_agent lost',
    'agent one working as last seen',
    'agent two working as last seen',
  ]);
  expect(lines(2_000)).toEqual([]);
});

test('a teller that falls silent makes everything as last seen, without a word from it', () => {
  const lines = feedOf();
  lines(0, ...snapshot);
  expect(lines(6_001)).toEqual([
    'view partial',
    'host_agent unconfirmed',
    'agent one working as last seen',
    'agent two working as last seen',
  ]);
});

test('a row that no longer matches is removed, and not called gone', () => {
  const lines = feedOf({ states: ['working'] });
  lines(0, ...snapshot);
  const idle = { ...one, readiness: 'available' };
  expect(lines(1, changes({ rows: [[host.id, idle]] }), bookmark())).toEqual(['removed one unmatched']);
  expect(lines(2, changes({ rows: [[host.id, one]] }), bookmark())).toEqual(['agent one working current']);
});

test('a renamed agent leaves under its old address', () => {
  const lines = feedOf();
  lines(0, ...snapshot);
  expect(lines(1, changes({ rows: [[host.id, { ...one, agent: 'uno' }]] }), bookmark())).toEqual([
    'removed one gone',
    'agent uno working current',
  ]);
});

test('a removed host-agent takes its agents along', () => {
  const lines = feedOf();
  lines(0, ...snapshot);
  expect(lines(1, changes({ removedHostAgents: [host.id] }), bookmark()).sort()).toEqual([
    'host_agent_removed',
    'removed one gone',
    'removed two gone',
  ]);
});
