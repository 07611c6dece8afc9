/** Who calls, as the door proved it: what every handler is given and no message can change. */
import { CONTROL_LEVELS, type ControlLevel } from '../../src/domain/host-agent.ts';
import type { Role } from '../../src/domain/role.ts';
import { DEFAULT_TENANT } from '../../src/domain/tenant.ts';
import type { HeldGrants } from './peer-grants.ts';

/** none: no certificate, or none that is accepted. */
export type CallerKind = 'host' | 'operator' | 'controller' | 'local' | 'none';

/** What may be allowed to a host's callers beyond their own host and user; reading needs no leave. */
export type GrantableVerb = Exclude<ControlLevel, 'observe'> | 'takeover';
export const GRANTABLE_VERBS: readonly GrantableVerb[] = [
  ...CONTROL_LEVELS.filter((level) => level !== 'observe'),
  'takeover',
];

/** report: keep the uplink. admin: change the cell itself. */
export type Verb = 'read' | 'report' | 'enroll' | 'admin' | GrantableVerb;

/** Somebody of another cell for whom its controller speaks, by a name that its own domain gave. */
export interface SpokenFor {
  /** SPIFFE id of an operator or a host-agent of the caller's cell. */
  actor: string;
  /** `CELL/NAME`, `CELL/USER@HOST`. */
  name: string;
  role: Role;
  /** `CELL/TENANT`, or empty. */
  tenantId: string;
}

export interface Caller {
  kind: CallerKind;
  /** For people: the host's user, the operator's name, a peer's cell. */
  name: string;
  /** The peer's; empty for identities of this cell. */
  cell: string;
  spiffeId: string | null;
  host: string;
  user: string;
  machineId: string;
  /** The tenant it is counted to; whose things exist for it is `tenants`. */
  tenantId: string;
  tenants: 'all' | readonly string[];
  role: Role;
  /** Verbs on its own host and user; on others only `ceiling`. Both without reading, which the tenant decides. */
  verbs: readonly Verb[];
  ceiling: readonly GrantableVerb[];
  /** Of a peer, and then they alone say what exists for it; null for everybody else. */
  grants: HeldGrants | null;
  /** null where it speaks for itself. */
  onBehalfOf: SpokenFor | null;
  /** A host that may report and renew, and nothing else. */
  quarantined?: boolean;
  /** Proof of the connection; null for local callers and strangers. */
  certificate: { serial: string; keyFingerprint: string; notAfterMs: number; authority: string } | null;
  /** address:port it calls from, for the log and rate limits only. */
  peer: string;
}

export const LOCAL_CALLER: Caller = {
  kind: 'local',
  name: 'local',
  cell: '',
  spiffeId: null,
  host: '',
  user: '',
  machineId: '',
  tenantId: DEFAULT_TENANT,
  tenants: 'all',
  role: 'admin',
  verbs: ['read', 'admin', ...GRANTABLE_VERBS],
  ceiling: GRANTABLE_VERBS,
  grants: null,
  onBehalfOf: null,
  certificate: null,
  peer: 'admin socket',
};

export const stranger = (peer: string): Caller => ({
  kind: 'none',
  name: 'stranger',
  cell: '',
  spiffeId: null,
  host: '',
  user: '',
  machineId: '',
  tenantId: '',
  tenants: [],
  role: 'viewer',
  verbs: ['enroll'],
  ceiling: [],
  grants: null,
  onBehalfOf: null,
  certificate: null,
  peer,
});

/** Whoever reaches the admin socket, as peers know it: no operator bears this name. */
export const ADMIN_SOCKET_OPERATOR = 'admin-socket';

/** One word that names a caller in the audit. */
export const actorOf = (caller: Caller): string => caller.spiffeId ?? `${caller.kind}:${caller.peer}`;
