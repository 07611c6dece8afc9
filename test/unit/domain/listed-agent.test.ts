import { expect, test } from 'vitest';
import { addressOf, listedAgent } from '../../../src/domain/listed-agent.ts';
import { agentView, hostMoment } from '../../../src/domain/make-views.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { hostAgent, hostFacts } from '../../helpers/host-agent.ts';

test('a list tells of an agent what its whole view tells', () => {
  const moment = hostMoment(hostAgent({ facts: hostFacts({ hostNowMs: 90_000 }) }), 500);
  const row = agentRow({
    agent: 'a b',
    heartbeat: { state: 'healthy', tsMs: 80_000, status: null, pid: 1, source: 'native' },
    lastOutputMs: 1_000,
    startedMs: 2_000,
    stateSinceMs: 99_000,
    rssBytes: 1.6,
    cpuPercent: 3.14,
    attention: { id: 'i', need: 'login', sinceMs: 1, rule: 'r', summary: 's' },
    flags: ['DRIFT'],
  });
  const [listed, view] = [listedAgent(row, moment), agentView(row, moment)];
  const { sinceMs: _, ...attention } = row.attention ?? {};
  expect(view).toMatchObject({ ...listed, attention });
  expect(addressOf(listed)).toBe(view.address);
});
