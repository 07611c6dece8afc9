/** One record of the audit: what it says, and the hash that seals it to the one before. Stored: fields are only added. */
import { createHash } from 'node:crypto';

/** allowed, denied and began come before the effect; done, failed and ended after it; dropped tells what was not kept. */
export type AuditOutcome = 'allowed' | 'denied' | 'began' | 'done' | 'failed' | 'ended' | 'dropped';

export interface AuditEntry {
  actor: string;
  /** Whom the actor spoke for, where that is somebody else. */
  onBehalfOf?: string;
  /** Of the actor, and of whatever it is about. */
  actorTenantId?: string;
  tenantId?: string;
  /** host/user, and the agent's name. */
  hostAgent?: string;
  agent?: string;
  verb: string;
  target: string;
  outcome: AuditOutcome;
  reason: string;
  /** Joins the records of one call. */
  call?: string;
  latencyMs?: number;
  /** Of messages, both ways. */
  bytes?: number;
  /** HMAC of a message's body, never the body. */
  body?: string;
  /** Id of an order, as whoever gave it named it: the same in the audits of both cells where one goes to a peer. */
  order?: string;
}

export interface AuditRecord extends AuditEntry {
  sequence: number;
  atMs: number;
  cell?: string;
  /** How many changes there are up to here, this one included; the others are reads. */
  changes?: number;
  /** Hash of the newest change before; zeros of none. */
  lastChange?: string;
  /** Hash of the record before; the first one's is all zeros. */
  previous: string;
  hash: string;
}

/** Kept apart, so that no reader pushes out what was changed. A denied change is one, and what came of a change. */
export type AuditKind = 'change' | 'read';
export const AUDIT_KINDS = ['change', 'read'] as const satisfies readonly AuditKind[];

/** How many there are of each kind up to a record. Before they were kept apart all were kept as changes. */
export const countsOf = ({ sequence, changes = sequence }: AuditRecord): Record<AuditKind, number> => ({
  change: changes,
  read: sequence - changes,
});

/** Of the first record after a backup was restored. */
export const RESTORE_VERB = 'restore';

export const GENESIS = '0'.repeat(64);

/** In the order in which they are hashed. What a record does not have is hashed as null, so that nothing can be put in. */
const DETAILS = [
  'cell',
  'onBehalfOf',
  'actorTenantId',
  'tenantId',
  'hostAgent',
  'agent',
  'call',
  'latencyMs',
  'bytes',
  'body',
] as const satisfies readonly (keyof AuditRecord)[];
const LINKS = ['changes', 'lastChange'] as const satisfies readonly (keyof AuditRecord)[];
const LATER = ['order'] as const satisfies readonly (keyof AuditRecord)[];

/** Records of before those fields have none of them, and are hashed as they were. */
export const seal = (record: Omit<AuditRecord, 'hash'>): string => {
  const { previous, sequence, atMs, actor, verb, target, outcome, reason } = record;
  const first = [previous, sequence, atMs, actor, verb, target, outcome, reason];
  const groups = [DETAILS, LINKS, LATER].map((fields) => fields.map((field) => record[field] ?? null));
  while (groups.at(-1)?.every((value) => value === null)) groups.pop();
  return createHash('sha256')
    .update(JSON.stringify([first, ...groups].flat()))
    .digest('hex');
};

export const encodeRecord = (record: AuditRecord): Buffer => Buffer.from(JSON.stringify(record), 'utf8');

export const decodeRecord = (value: Uint8Array): AuditRecord =>
  JSON.parse(Buffer.from(value).toString('utf8')) as AuditRecord;

const PREFIXES = { change: 'audit/', read: 'audit-read/' } as const satisfies Record<AuditKind, string>;

export const auditPrefix = (kind: AuditKind): string => PREFIXES[kind];

export const auditKey = (kind: AuditKind, sequence: number): string =>
  PREFIXES[kind] + String(sequence).padStart(16, '0');

/** Where a key of the store stands in the audit; null for what is no record of it. */
export const placeOf = (key: string): { kind: AuditKind; sequence: number } | null => {
  const kind = AUDIT_KINDS.find((each) => key.startsWith(PREFIXES[each]));
  return kind === undefined ? null : { kind, sequence: Number(key.slice(PREFIXES[kind].length)) };
};

/** A record, as it is named by whoever compares. */
export interface Head {
  sequence: number;
  hash: string;
}

/** How many are kept of each kind. */
export type Keep = Record<AuditKind, number>;
