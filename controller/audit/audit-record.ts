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
}

export interface AuditRecord extends AuditEntry {
  sequence: number;
  atMs: number;
  cell?: string;
  /** Hash of the record before; the first one's is all zeros. */
  previous: string;
  hash: string;
}

/** Of the first record after a backup was restored. */
export const RESTORE_VERB = 'restore';

export const GENESIS = '0'.repeat(64);

/** In the order in which they are hashed. What a record does not have is hashed as null, so that nothing can be put in. */
const ADDED = [
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

/** Records of before those fields have none of them, and are hashed as they were. */
export const seal = (record: Omit<AuditRecord, 'hash'>): string => {
  const { previous, sequence, atMs, actor, verb, target, outcome, reason } = record;
  const first = [previous, sequence, atMs, actor, verb, target, outcome, reason];
  const added = ADDED.map((field) => record[field] ?? null);
  const text = JSON.stringify(added.every((value) => value === null) ? first : [...first, ...added]);
  return createHash('sha256').update(text).digest('hex');
};

export const encodeRecord = (record: AuditRecord): Buffer => Buffer.from(JSON.stringify(record), 'utf8');

export const decodeRecord = (value: Uint8Array): AuditRecord =>
  JSON.parse(Buffer.from(value).toString('utf8')) as AuditRecord;

export const AUDIT_PREFIX = 'audit/';
export const auditKey = (sequence: number): string => AUDIT_PREFIX + String(sequence).padStart(16, '0');
