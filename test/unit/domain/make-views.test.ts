import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/domain/address.ts';
import { agentView, hostAgentView, hostMoment } from '../../../src/domain/make-views.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { hostAgent, hostFacts } from '../../helpers/host-agent.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const seen = agentRow({
  lastOutputMs: NOW - 46 * SECOND,
  stateSinceMs: NOW - 41_999,
  startedMs: NOW + 5 * SECOND,
  heartbeat: { state: 'healthy', tsMs: NOW - 2 * SECOND, status: 'ok', pid: 7, source: 'native' },
});

test('ages are counted by the host’s own clock and run on while its link is connected', () => {
  const moment = hostMoment(hostAgent({ heardAgeMs: 1_500 }), 500);
  expect(agentView(seen, moment)).toMatchObject({
    idle_seconds: 48,
    state_since_seconds: 43,
    heartbeat: { age_seconds: 4 },
    current: true,
    observed_age_seconds: 2,
  });
});

test.each(['resuming', 'unconfirmed', 'lost'])(
  'on a link that is %s ages stand still, and only its own age goes on',
  (state) => {
    const link = { state, reason: 'silent', ageMs: 130_000 };
    const moment = hostMoment(hostAgent({ link, heardAgeMs: 140_000 }), 4_000);
    expect(agentView(seen, moment)).toMatchObject({
      idle_seconds: 46,
      current: false,
      observed_age_seconds: 144,
      link: { state, reason: 'silent', age_seconds: 134 },
    });
  },
);

test('a stamp of the future is age 0, never less', () => {
  expect(agentView(seen, hostMoment(hostAgent(), 0)).uptime_seconds).toBe(0);
});

test.each([3_600_000, -3_600_000])('a clock that is %i ms off changes no age; it is shown', (skewMs) => {
  const facts = hostFacts({ hostNowMs: NOW + skewMs, certificateNotAfterMs: NOW + 86_400_000 });
  const row = agentRow({ lastOutputMs: NOW + skewMs - 10 * SECOND });
  const moment = hostMoment(hostAgent({ facts, clockSkewMs: skewMs }), 0);
  expect(agentView(row, moment).idle_seconds).toBe(10);
  expect(hostAgentView(moment)).toMatchObject({
    clock_skew_seconds: skewMs / 1_000,
    certificate_expires_in_seconds: 86_400,
  });
});

test('how long a host has been behind goes on, and what is left of it runs out', () => {
  const waits = { state: 'waiting', reason: '', ageMs: 60 * SECOND, expiresInMs: 5 * SECOND } as const;
  const seen = (elapsedMs: number) => hostAgentView(hostMoment(hostAgent({ behind: waits }), elapsedMs)).behind;
  expect(seen(4 * SECOND)).toEqual({ state: 'waiting', reason: null, age_seconds: 64, expires_in_seconds: 1 });
  expect(seen(9 * SECOND)).toMatchObject({ age_seconds: 69, expires_in_seconds: 0 });
  expect(hostAgentView(hostMoment(hostAgent(), 0)).behind).toBeNull();
});

test('connected, but not confirmed for more than 8.5 s, is not current', () => {
  expect(hostMoment(hostAgent({ heardAgeMs: 8_500 }), 0).current).toBe(true);
  expect(hostMoment(hostAgent({ heardAgeMs: 8_500 }), 1).current).toBe(false);
});

test('the name is encoded as in the address, and so reads back as the same name', () => {
  const view = agentView(agentRow({ agent: 'a/b 50%\x1b' }), hostMoment(hostAgent(), 0));
  expect(view.agent).toBe('a%2Fb%2050%25%1B');
  expect(view.address).toBe(`home/W-jarvis/jarvis/${view.agent}`);
  expect(parseAddress(view.agent).agent).toBe('a/b 50%\x1b');
});

test('every field is there and null where it is not known', () => {
  const moment = hostMoment(hostAgent({ facts: null, clockSkewMs: null }), 0);
  const view = agentView(agentRow({ role: null, runtime: null, lifecycle: null, runtimeSeen: null }), moment);
  expect(view).toEqual({
    address: 'home/W-jarvis/jarvis/canary-pi',
    cell: 'home',
    host: 'W-jarvis',
    user: 'jarvis',
    tenant_id: 'default',
    agent: 'canary-pi',
    managed: true,
    source: 'roster',
    role: null,
    runtime: null,
    model: null,
    effort: null,
    lifecycle: null,
    runtime_seen: null,
    model_seen: null,
    unit: null,
    tmux: null,
    heartbeat: { state: 'missing', age_seconds: null, status: null, pid: null, source: null },
    idle_seconds: null,
    uptime_seconds: null,
    state_since_seconds: null,
    last_exit: null,
    rss_bytes: null,
    cpu_percent: null,
    watchers: 0,
    writer: null,
    readiness: 'working',
    reason: null,
    reason_code: null,
    attention: null,
    flags: [],
    link: { state: 'connected', reason: null, age_seconds: 0 },
    current: true,
    observed_age_seconds: 0,
  });
  expect(JSON.stringify(hostAgentView(moment))).not.toContain('undefined');
  expect(hostAgentView(moment)).toMatchObject({ version: null, agents: null, warnings: [] });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
  'a stamp of %d from a hostile host is no time at all',
  (sinceMs) => {
    const unit = {
      name: 'u',
      activeState: 'active',
      subState: 'running',
      unitFileState: null,
      result: null,
      mainPid: null,
      restarts: null,
      sinceMs,
    };
    expect(agentView(agentRow({ unit }), hostMoment(hostAgent(), 0)).unit?.since).toBeNull();
  },
);
