/**
 * What another cell may see and do here: a grant's terms, how it stands, and a compiled check of it. Grants only add up:
 * each allows what all of its own terms cover, and no two of them allow more than either does.
 */
import { globMatcher } from './glob.ts';

/** observe: rows. watch: screens. Never to deploy, and never to administer. */
export const GRANT_VERBS = ['observe', 'watch', 'send', 'lifecycle', 'takeover'] as const;
export type GrantVerb = (typeof GRANT_VERBS)[number];

/** What types or steers is never granted for ever. */
export const STEERING_VERBS: readonly GrantVerb[] = ['send', 'lifecycle', 'takeover'];
export const MAX_STEERING_MS = 30 * 24 * 3_600_000;

/** pending: its peer has not joined yet. From revoked and expired there is no way back. */
const GRANT_STATUSES = ['pending', 'active', 'expired', 'revoked'] as const;
export type GrantStatus = (typeof GRANT_STATUSES)[number];

export interface GrantTerms {
  id: string;
  tenants: readonly string[];
  /** Patterns of hosts, `host` or `host/user`. */
  hosts: readonly string[];
  /** Patterns of names of agents as they are in rows, not percent-encoded. */
  agents: readonly string[];
  verbs: readonly GrantVerb[];
  /** Rows that are told by this grant at most. */
  rowLimit: number;
}

/** Where something is, and whose. */
export interface GrantPlace {
  tenantId: string;
  host: string;
  user: string;
}

export interface AgentPlace extends GrantPlace {
  agent: string;
}

export interface GrantTimes {
  expiresMs: number | null;
  revokedMs: number | null;
  /** Once it was seen to be over, no clock that is set back makes it count again. */
  expiredMs?: number;
}

/** `peer`: how the cell stands that it is for; undefined where there is no such peer any more. */
export const grantStatus = (
  { expiresMs, revokedMs, expiredMs }: GrantTimes,
  peer: 'invited' | 'active' | 'revoked' | undefined,
  nowMs: number,
): GrantStatus => {
  if (revokedMs !== null || peer === 'revoked' || peer === undefined) return 'revoked';
  if (expiredMs !== undefined || (expiresMs !== null && nowMs >= expiresMs)) return 'expired';
  return peer === 'active' ? 'active' : 'pending';
};

type Match = (text: string) => boolean;

export interface CompiledGrant {
  id: string;
  rowLimit: number;
  verbs: ReadonlySet<GrantVerb>;
  coversHost: (place: GrantPlace) => boolean;
  coversAgent: Match;
}

const compileGrant = ({ id, tenants, hosts, agents, verbs, rowLimit }: GrantTerms): CompiledGrant => {
  const whose = new Set(tenants);
  const places = hosts.map(hostMatcher);
  const names = agents.map(globMatcher);
  return {
    id,
    rowLimit,
    verbs: new Set(verbs),
    coversHost: (place) => whose.has(place.tenantId) && places.some((matches) => matches(place)),
    coversAgent: (agent) => names.some((matches) => matches(agent)),
  };
};

/** Without a `/` it says nothing of users. */
const hostMatcher = (pattern: string): ((place: GrantPlace) => boolean) => {
  const [host = '', user, ...more] = pattern.split('/');
  if (more.length > 0) return () => false;
  const isHost = globMatcher(host);
  const isUser = user === undefined ? () => true : globMatcher(user);
  return (place) => isHost(place.host) && isUser(place.user);
};

/** Host-agents whose grants are remembered; beyond them they are looked up anew. */
const MAX_REMEMBERED = 4_096;

/** Grants that are active, together. */
export class GrantSet {
  readonly grants: readonly CompiledGrant[];
  /** Those that cover a host-agent: agents of one are asked about again and again. */
  readonly #covering = new Map<string, readonly CompiledGrant[]>();

  constructor(grants: readonly CompiledGrant[]) {
    this.grants = grants;
  }

  allows(verb: GrantVerb, place: AgentPlace): boolean {
    return this.#at(place).some((grant) => grant.verbs.has(verb) && grant.coversAgent(place.agent));
  }

  /** Whether some agent there could be observed. */
  reaches(place: GrantPlace): boolean {
    return this.#at(place).some((grant) => grant.verbs.has('observe'));
  }

  /** Those by which an agent there is observed, in their order. */
  observing(place: AgentPlace): CompiledGrant[] {
    return this.#at(place).filter((grant) => grant.verbs.has('observe') && grant.coversAgent(place.agent));
  }

  /** What any of them allows somewhere. */
  get verbs(): GrantVerb[] {
    return GRANT_VERBS.filter((verb) => this.grants.some((grant) => grant.verbs.has(verb)));
  }

  #at(place: GrantPlace): readonly CompiledGrant[] {
    const name = `${place.tenantId}\n${place.host}\n${place.user}`;
    const known = this.#covering.get(name);
    if (known !== undefined) return known;
    const covering = this.grants.filter((grant) => grant.coversHost(place));
    if (this.#covering.size >= MAX_REMEMBERED) this.#covering.clear();
    this.#covering.set(name, covering);
    return covering;
  }
}

export const compileGrants = (terms: readonly GrantTerms[]): GrantSet => new GrantSet(terms.map(compileGrant));
export const NO_GRANTS = new GrantSet([]);
