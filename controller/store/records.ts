/** What the controller remembers, as typed records over one store. Field names are stored: only ever add. */
import type { OrderVerb } from '../../src/domain/order.ts';
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
}

export interface TokenRecord {
  host: string;
  user: string;
  tenantId: string;
  expiresMs: number;
  replace: boolean;
  createdBy: string;
  /** null until used; then whoever shows the same key gets the same certificate again. */
  used: { keyFingerprint: string; certificatePem: string; uri: string; atMs: number } | null;
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
  outcome: string;
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
  /** By tenant/id. */
  orders: Mirror<OrderRecord>;
}

export const openRecords = async (store: Store): Promise<Records> => {
  const records: Records = {
    store,
    identities: new Mirror(store, 'identity/'),
    tokens: new Mirror(store, 'token/'),
    settings: new Mirror(store, 'setting/'),
    ceilings: new Mirror(store, 'ceiling/'),
    orders: new Mirror(store, 'order/'),
  };
  await Promise.all([
    records.identities.start(),
    records.tokens.start(),
    records.settings.start(),
    records.ceilings.start(),
    records.orders.start(),
  ]);
  return records;
};
