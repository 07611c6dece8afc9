/** The terms of a new grant, as they were wished for, checked: what they may say, and that nothing steers for ever. */
import { FleetError } from '../../src/domain/errors.ts';
import { GRANT_VERBS, type GrantVerb, MAX_STEERING_MS, STEERING_VERBS } from '../../src/domain/grant.ts';
import { isIdentityName } from '../../src/identity/spiffe-id.ts';

export interface TermsWish {
  tenants: readonly string[];
  hosts: readonly string[];
  agents: readonly string[];
  verbs: readonly string[];
  /** 0: the default. */
  rowLimit: number;
  /** From now on; 0: it does not expire. */
  validMs: number;
}

export interface CheckedTerms {
  tenants: string[];
  hosts: string[];
  agents: string[];
  verbs: GrantVerb[];
  rowLimit: number;
  validMs: number | null;
}

const DEFAULT_ROWS = 1_000;
export const MAX_ROWS = 10_000;
const MAX_WORDS = 64;
const MAX_PATTERN_CHARACTERS = 128;
const MAX_VALID_MS = 10 * 365 * 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** INVALID_ARGUMENT naming the first wrong word and what it may be; `knows` tells whether there is such a tenant. */
export const checkTerms = (wish: TermsWish, knows: (tenantId: string) => boolean): CheckedTerms => {
  const tenants = words('tenant', wish.tenants, 'name whose agents: --tenant TENANT');
  const hosts = words('host', wish.hosts, `name where: --host PATTERN, as 'dragon-*', 'W-jarvis/ada', or '*'`);
  const agents = words('agent', wish.agents, `name which agents: --agent PATTERN, as 'coder*', or '*'`);
  for (const tenant of tenants) requireTenant(tenant, knows);
  for (const host of hosts) requireHostPattern(host);
  for (const agent of agents) requirePattern('agent', agent);
  const verbs = requireVerbs(words('verb', wish.verbs, `name what is granted: --verb ${GRANT_VERBS.join('|')}`));
  const rowLimit = wish.rowLimit || DEFAULT_ROWS;
  if (!Number.isInteger(rowLimit) || rowLimit < 1 || rowLimit > MAX_ROWS) {
    throw wrong(`rows ${rowLimit}: 1 to ${MAX_ROWS.toLocaleString('en')}`);
  }
  return { tenants, hosts, agents, verbs, rowLimit, validMs: requireSpan(wish.validMs, verbs) };
};

const wrong = (what: string): FleetError => new FleetError('INVALID_ARGUMENT', what);

const words = (what: string, list: readonly string[], missing: string): string[] => {
  if (list.length === 0) throw wrong(`no ${what}: ${missing}`);
  if (list.length > MAX_WORDS) throw wrong(`${list.length} ${what}s; at most ${MAX_WORDS}`);
  return [...new Set(list)];
};

const requireTenant = (tenant: string, knows: (tenantId: string) => boolean): void => {
  if (!isIdentityName(tenant))
    throw wrong(`tenant ${quoted(tenant)}: a name, no pattern: use 1 to 64 of A-Z a-z 0-9 . _ -`);
  if (!knows(tenant)) throw wrong(`tenant ${quoted(tenant)} is unknown: "fleet tenant ls" lists them`);
};

const requirePattern = (what: string, pattern: string): void => {
  if (pattern === '') throw wrong(`an empty pattern of ${what}s matches nothing: '*' stands for all`);
  if (pattern.length > MAX_PATTERN_CHARACTERS) {
    throw wrong(`pattern of ${what}s of ${pattern.length} characters; at most ${MAX_PATTERN_CHARACTERS}`);
  }
  if (/[\p{Cc}\p{Cf}]/u.test(pattern)) throw wrong(`pattern ${quoted(pattern)} has characters that no name shows`);
};

const HOST_PATTERN = /^[A-Za-z0-9._*?-]+(\/[A-Za-z0-9._*?-]+)?$/;

const requireHostPattern = (pattern: string): void => {
  requirePattern('host', pattern);
  if (!HOST_PATTERN.test(pattern)) throw wrong(`host ${quoted(pattern)}: HOST or HOST/USER, of A-Z a-z 0-9 . _ - * ?`);
};

/** Whoever may do more sees the row. */
const requireVerbs = (verbs: readonly string[]): GrantVerb[] => {
  for (const verb of verbs) {
    if (GRANT_VERBS.includes(verb as GrantVerb)) continue;
    const never = verb === 'deploy' || verb === 'admin' ? `is never granted to another cell` : 'is no verb of grants';
    throw wrong(`verb ${quoted(verb)} ${never}: ${GRANT_VERBS.join(', ')}`);
  }
  return GRANT_VERBS.filter((verb) => verb === 'observe' || verbs.includes(verb));
};

const requireSpan = (validMs: number, verbs: readonly GrantVerb[]): number | null => {
  const steering = verbs.filter((verb) => STEERING_VERBS.includes(verb));
  const days = MAX_STEERING_MS / DAY_MS;
  if (steering.length > 0 && !(validMs > 0 && validMs <= MAX_STEERING_MS)) {
    throw wrong(`a grant with ${steering.join(', ')} must expire within ${days} days: --expires ${days}d, or sooner`);
  }
  if (validMs === 0) return null;
  if (!(validMs >= 1_000 && validMs <= MAX_VALID_MS)) throw wrong('a grant lives 1s at least, and 10 years at most');
  return validMs;
};

const quoted = (text: string): string => JSON.stringify(text.slice(0, 64));
