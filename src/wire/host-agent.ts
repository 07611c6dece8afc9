/** HostAgent and HostFacts to and from their messages. */
import type { HostAgent, HostFacts } from '../domain/host-agent.ts';
import type * as wire from './gen/fleet/v1/types.ts';

export const hostFactsToWire = (facts: HostFacts): wire.HostFacts => ({
  ...facts,
  certificateNotAfterMs: facts.certificateNotAfterMs ?? undefined,
  via: facts.via ?? undefined,
});

export const hostFactsFromWire = (facts: wire.HostFacts): HostFacts => ({
  ...facts,
  certificateNotAfterMs: facts.certificateNotAfterMs ?? null,
  via: facts.via ?? null,
});

export const hostAgentToWire = (agent: HostAgent): wire.HostAgent => ({
  ...agent,
  link: { ...agent.link, reason: agent.link.reason ?? undefined },
  facts: agent.facts ? hostFactsToWire(agent.facts) : undefined,
  clockSkewMs: agent.clockSkewMs ?? undefined,
});

export const hostAgentFromWire = (agent: wire.HostAgent): HostAgent => ({
  id: agent.id,
  cell: agent.cell,
  host: agent.host,
  user: agent.user,
  tenantId: agent.tenantId,
  link: {
    state: agent.link?.state || 'unconfirmed',
    reason: agent.link?.reason ?? null,
    ageMs: agent.link?.ageMs ?? 0,
  },
  facts: agent.facts ? hostFactsFromWire(agent.facts) : null,
  heardAgeMs: agent.heardAgeMs,
  clockSkewMs: agent.clockSkewMs ?? null,
  here: agent.here,
});
