/** HostAgent and HostFacts to and from their messages. */
import type { HostAgent, HostFacts } from '../domain/host-agent.ts';
import type { Behind } from '../domain/intent.ts';
import type * as wire from './gen/fleet/v1/types.ts';

export const hostFactsToWire = (facts: HostFacts): wire.HostFacts => ({
  ...facts,
  certificateNotAfterMs: facts.certificateNotAfterMs ?? undefined,
  via: facts.via ?? undefined,
});

/** What a host says of itself goes to every reader: so much of it and no more, and no number that is none. */
const LIMITS = { words: 16, wordLength: 200, nameLength: 64 } as const;
const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;
const name = (text: string): string => text.slice(0, LIMITS.nameLength);
const words = (list: readonly string[]): string[] =>
  list.slice(0, LIMITS.words).map((word) => word.slice(0, LIMITS.wordLength));

export const hostFactsFromWire = (facts: wire.HostFacts): HostFacts => ({
  hostNowMs: finite(facts.hostNowMs) ?? 0,
  version: name(facts.version),
  build: name(facts.build),
  control: name(facts.control),
  warnings: words(facts.warnings),
  certificateNotAfterMs: finite(facts.certificateNotAfterMs),
  via: facts.via === undefined ? null : name(facts.via),
  agents: facts.agents,
  needs: facts.needs,
  machineId: name(facts.machineId),
  capabilities: words(facts.capabilities),
});

const behindToWire = (behind: Behind): wire.Behind => ({ ...behind, expiresInMs: behind.expiresInMs ?? undefined });

const behindFromWire = (behind: wire.Behind): Behind => ({
  state: name(behind.state),
  reason: behind.reason.slice(0, LIMITS.wordLength),
  ageMs: finite(behind.ageMs) ?? 0,
  expiresInMs: finite(behind.expiresInMs),
});

export const hostAgentToWire = (agent: HostAgent): wire.HostAgent => ({
  ...agent,
  link: { ...agent.link, reason: agent.link.reason ?? undefined },
  facts: agent.facts ? hostFactsToWire(agent.facts) : undefined,
  clockSkewMs: agent.clockSkewMs ?? undefined,
  behind: agent.behind ? behindToWire(agent.behind) : undefined,
  quarantined: agent.quarantined ?? false,
});

export const hostAgentFromWire = (agent: wire.HostAgent): HostAgent => ({
  id: agent.id,
  cell: agent.cell,
  host: agent.host,
  user: agent.user,
  tenantId: agent.tenantId,
  link: {
    state: name(agent.link?.state ?? '') || 'unconfirmed',
    reason: agent.link?.reason === undefined ? null : name(agent.link.reason),
    ageMs: finite(agent.link?.ageMs) ?? 0,
  },
  facts: agent.facts ? hostFactsFromWire(agent.facts) : null,
  heardAgeMs: finite(agent.heardAgeMs) ?? 0,
  clockSkewMs: finite(agent.clockSkewMs),
  here: agent.here,
  behind: agent.behind ? behindFromWire(agent.behind) : null,
  quarantined: agent.quarantined,
});
