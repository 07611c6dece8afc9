import type { HostAgent, HostFacts } from '../../src/domain/host-agent.ts';

export const hostFacts = (over: Partial<HostFacts> = {}): HostFacts => ({
  hostNowMs: Date.UTC(2026, 0, 1),
  version: '1.0.0',
  build: '',
  control: 'lifecycle',
  warnings: [],
  certificateNotAfterMs: null,
  via: null,
  agents: 0,
  needs: 0,
  machineId: 'm',
  capabilities: [],
  ...over,
});

/** A connected host-agent that was just heard, to be changed where a test needs it. */
export const hostAgent = (over: Partial<HostAgent> = {}): HostAgent => ({
  id: 'W-jarvis/jarvis',
  cell: 'home',
  host: 'W-jarvis',
  user: 'jarvis',
  tenantId: 'default',
  link: { state: 'connected', reason: null, ageMs: 0 },
  facts: hostFacts(),
  heardAgeMs: 0,
  clockSkewMs: 0,
  here: false,
  behind: null,
  ...over,
});
