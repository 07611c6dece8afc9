/** What the controller remembers, as typed records over one store. Field names are stored: only ever add. */
import type { Open } from '../../src/domain/agent-row.ts';
import type { GrantVerb } from '../../src/domain/grant.ts';
import type { IntentStateName } from '../../src/domain/intent.ts';
import type { OrderOutcomeName, OrderVerb } from '../../src/domain/order.ts';
import type { Role } from '../../src/domain/role.ts';
import { Mirror } from './mirror.ts';
import type { Store } from './store.ts';

export interface IdentityRecord {
  kind: 'host' | 'operator' | 'controller';
  /** Of a host-agent; empty for the others. */
  host: string;
  user: string;
  /** Of an operator or a controller; empty for hosts. */
  name: string;
  tenantId: string;
  role: Role;
  machineId: string;
  /** The one key that proves this identity; certificates over any other key are void. */
  keyFingerprint: string;
  certificateSerial: string;
  certificateNotAfterMs: number;
  enrolledMs: number;
  version: string;
  revoked: boolean;
  /** Fingerprints: of the authority that signed its newest certificate, and of those that it said last that it trusts. */
  authority?: string;
  trusts?: string[];
  /** Of an operator that is no admin: whose things exist for it; without it `tenantId` alone. */
  tenants?: string[];
  /** An operator that may take terminals over. */
  takeover?: boolean;
  /** Of a host: it may report and renew, and nothing else. */
  quarantined?: boolean;
}

/** What an invitation makes of whoever uses it. */
export interface InvitedRecord {
  name: string;
  role: Role;
  /** Empty for an admin. */
  tenants: string[];
  takeover: boolean;
}

/** The tenant `default` has no record: it is always there. */
export interface TenantRecord {
  addedMs: number;
  addedBy: string;
}

/** Whose a host-agent is, or will be once it is enrolled. */
export interface BindingRecord {
  tenantId: string;
  boundMs: number;
  boundBy: string;
}

export interface TokenRecord {
  host: string;
  user: string;
  /** Where its host-agent is not bound. */
  tenantId: string;
  expiresMs: number;
  replace: boolean;
  createdBy: string;
  /** null until used; then whoever shows the same key gets the same certificate again. */
  used: { keyFingerprint: string; certificatePem: string; uri: string; atMs: number } | null;
  /** It enrols this operator, and no host. */
  operator?: InvitedRecord;
}

/** What the controller was told about itself. */
export interface Settings {
  /** host:port beside loopback. */
  listen: string[];
  advertise: string[];
  /** Of loopback, kept so that hosts find the controller again; null before the first start. */
  port: number | null;
}

/** Verbs of a host-agent's user beyond its own host and user. */
export interface CeilingRecord {
  verbs: string[];
}

/** Where an order went and the last that was heard of it; nothing of what was typed. */
export interface OrderRecord {
  hostAgent: string;
  key: string;
  address: string;
  actor: string;
  verb: OrderVerb;
  beganMs: number;
  outcome: Open<OrderOutcomeName>;
  /** The cell that gave it, where that is a peer. */
  peer?: string;
}

/** What is kept of a host-agent is one machine's and one tenant's, whoever bears its name later. */
export interface OwnerRecord {
  tenantId: string;
  machineId: string;
}

/** The last roster that was applied through this controller; its text lies beside it, as it came. */
export interface AppliedRosterRecord extends OwnerRecord {
  /** Empty where the host did not say it. */
  path: string;
  digest: string;
  bytes: number;
  actor: string;
  orderId: string;
  /** Wall clock of the controller, and the host's own when its order was over. */
  atMs: number;
  hostEndedMs: number;
}

/** Who gave an intent, to be judged again when it is carried out. */
export interface GiverRecord {
  /** As the audit names it. */
  actor: string;
  /** null: whoever reaches the admin socket. */
  identity: { spiffeId: string; keyFingerprint: string } | null;
}

export interface IntentStepRecord {
  id: string;
  verb: OrderVerb;
  address: string;
  /** Of its agent; empty for the roster. */
  key: string;
  /** Empty until it is known. */
  outcome: string;
  reason: string;
  endedMs: number;
}

/** What a host-agent shall be told; the orders themselves lie beside it until it is over. */
export interface IntentRecord extends OwnerRecord {
  id: string;
  /** SHA-256 of the whole request: tells another one under the same id. */
  digest: string;
  giver: GiverRecord;
  givenMs: number;
  expiresMs: number;
  /** One that is under way waits, too: it is not over. */
  state: Exclude<IntentStateName, 'running'>;
  reason: string;
  endedMs: number;
  displaced: string;
  steps: IntentStepRecord[];
}

/** Another cell with which trust was exchanged; what either may see of the other is said by grants. */
export interface PeerRecord {
  cell: string;
  /** host:port of its controller, in the order to try; empty until it has joined. */
  addresses: string[];
  /** Its authorities; empty until it has joined. Kept when it is revoked, so that it can be told so. */
  trustBundlePem: string;
  /** Tenants of this cell for whom what the peer grants exists. */
  audience: string[];
  state: 'invited' | 'active' | 'revoked';
  invitedMs: number;
  acceptedMs: number | null;
  revokedMs: number | null;
  /** Of what is held of it at most. */
  limits: { rows: number };
  /** Fingerprints of our authorities that it said last that it trusts. */
  trusts?: string[];
}

/** A single-use invitation of a peer. */
export interface InvitationRecord {
  /** Empty: whichever cell shows it first. */
  cell: string;
  audience: string[];
  expiresMs: number;
  createdBy: string;
  /** null until used; then the same cell with the same bundle is answered the same again. */
  used: { cell: string; bundleDigest: string; atMs: number } | null;
}

/** What a peer may see and do here. Revoked and expired are for ever. */
export interface GrantRecord {
  id: string;
  /** The cell that it is for. */
  peer: string;
  tenants: string[];
  /** Patterns of `host` or `host/user`, and of agents' names. */
  hosts: string[];
  agents: string[];
  verbs: GrantVerb[];
  rowLimit: number;
  /** null: never; only where nothing of it types or steers. */
  expiresMs: number | null;
  createdMs: number;
  createdBy: string;
  revokedMs: number | null;
  /** When it was first seen to be over, whatever the clock says later. */
  expiredMs?: number;
}

export interface Records {
  store: Store;
  /** By SPIFFE id. */
  identities: Mirror<IdentityRecord>;
  /** By hash of the secret. */
  tokens: Mirror<TokenRecord>;
  /** One record, `controller`. */
  settings: Mirror<Settings>;
  /** By host/user. */
  ceilings: Mirror<CeilingRecord>;
  /** By id. */
  tenants: Mirror<TenantRecord>;
  /** By host/user. */
  bindings: Mirror<BindingRecord>;
  /** By tenant/id. */
  orders: Mirror<OrderRecord>;
  /** By host/user. */
  appliedRosters: Mirror<AppliedRosterRecord>;
  /** By host/user. */
  intents: Mirror<IntentRecord>;
  /** By cell. */
  peers: Mirror<PeerRecord>;
  /** By hash of the secret. */
  invitations: Mirror<InvitationRecord>;
  /** By id. */
  grants: Mirror<GrantRecord>;
}

export const openRecords = async (store: Store): Promise<Records> => {
  const records: Records = {
    store,
    identities: new Mirror(store, 'identity/'),
    tokens: new Mirror(store, 'token/'),
    settings: new Mirror(store, 'setting/'),
    ceilings: new Mirror(store, 'ceiling/'),
    tenants: new Mirror(store, 'tenant/'),
    bindings: new Mirror(store, 'binding/'),
    orders: new Mirror(store, 'order/'),
    appliedRosters: new Mirror(store, 'applied-roster/'),
    intents: new Mirror(store, 'intent/'),
    peers: new Mirror(store, 'peer/'),
    invitations: new Mirror(store, 'invitation/'),
    grants: new Mirror(store, 'grant/'),
  };
  await Promise.all([
    records.identities.start(),
    records.tokens.start(),
    records.settings.start(),
    records.ceilings.start(),
    records.tenants.start(),
    records.bindings.start(),
    records.orders.start(),
    records.appliedRosters.start(),
    records.intents.start(),
    records.peers.start(),
    records.invitations.start(),
    records.grants.start(),
  ]);
  return records;
};
