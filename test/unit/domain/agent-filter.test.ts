import { expect, test } from 'vitest';
import {
  type AgentFilter,
  comparatorOf,
  EVERYTHING,
  matchesAgent,
  type SortKey,
} from '../../../src/domain/agent-filter.ts';
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import type { AgentView } from '../../../src/domain/agent-view.ts';
import type { HostAgent } from '../../../src/domain/host-agent.ts';
import { agentView, hostMoment } from '../../../src/domain/make-views.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { hostAgent, hostFacts } from '../../helpers/host-agent.ts';

const view = (row: Partial<AgentRow>, host: Partial<HostAgent> = {}): AgentView =>
  agentView(agentRow(row), hostMoment(hostAgent(host), 0));
const lost: Partial<HostAgent> = { link: { state: 'lost', reason: 'silent', ageMs: 0 } };
const attention = { id: 'a', need: 'question', sinceMs: null, rule: 'r', summary: 's' };

test.each<[Partial<AgentFilter>, AgentView, boolean]>([
  [{}, view({}, lost), true],
  [{ hosts: ['W-jarvis', 'x'] }, view({}, lost), true],
  [{ hosts: ['x'] }, view({}), false],
  [{ tenants: ['default'] }, view({}), true],
  [{ tenants: ['other'] }, view({}), false],
  [{ states: ['working'] }, view({}), true],
  [{ states: ['dead'] }, view({}), false],
  [{ states: ['working'] }, view({}, lost), false],
  [{ states: ['working'], includeStale: true }, view({}, lost), true],
  [{ flags: ['DRIFT'] }, view({ flags: ['DRIFT', 'MISSING'] }), true],
  [{ flags: ['DRIFT', 'MISSING'] }, view({ flags: ['DRIFT'] }), false],
  [{ needsMe: true }, view({}), false],
  [{ needsMe: true }, view({ attention }), true],
  [{ needsMe: true }, view({ attention }, lost), false],
])('%j', (filter, agent, matches) => {
  expect(matchesAgent({ ...EVERYTHING, ...filter }, agent)).toBe(matches);
});

const now = hostFacts().hostNowMs;
test.each<[SortKey, string]>([
  ['name', 'a b c'],
  ['state', 'b c a'],
  ['idle', 'c a b'],
  ['rss', 'a c b'],
])('sorted by %s; what is unknown comes last', (key, order) => {
  const agents = [
    view({ agent: 'c', readiness: 'stale', lastOutputMs: now - 9_000, rssBytes: 5 }),
    view({ agent: 'a', readiness: 'working', lastOutputMs: now - 3_000, rssBytes: 7 }),
    view({ agent: 'b', readiness: 'dead' }),
  ];
  expect(
    agents
      .sort(comparatorOf(key) ?? undefined)
      .map(({ agent }) => agent)
      .join(' '),
  ).toBe(order);
});
