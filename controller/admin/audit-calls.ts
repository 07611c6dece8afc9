/**
 * WatchAudit and VerifyAudit. A reader is nothing but the sequence up to which it was told, so a slow one holds nothing.
 * Whoever reaches the admin socket reads all of it; an operator what is of its own tenant on both sides.
 */

import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { callSink } from '../../src/runtime/message-sink.ts';
import { Wake } from '../../src/runtime/wake.ts';
import type { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import type { AuditRecord as AuditMessage, WatchAuditRequest } from '../../src/wire/gen/fleet/v1/audit.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditRecord } from '../audit/audit-record.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { Caller } from '../tenancy/caller.ts';

type Definition = typeof AdminServiceService;

/** Short enough to be read and encoded in one go. */
const PAGE = 200;
/** A word at least this often, so that a reader knows a quiet stream from a dead one. */
const BEAT_MS = 2_000;
const MAX_HEADS = 2_000;

export const AUDIT_TARGETS: Targets<Definition> = {
  watchAudit: ({ follow }) => ({ target: 'audit', lasts: follow }),
  verifyAudit: () => 'audit',
};

export const auditHandlers = (
  audit: AuditLog,
  clock: Clock,
): Pick<Handlers<Definition>, 'watchAudit' | 'verifyAudit'> => ({
  watchAudit: async (caller, request, call, { signal }) => {
    const sink = callSink(call);
    const sees = seenBy(caller);
    const wake = new Wake();
    using _appended = audit.onAppend(() => wake.poke());
    // What waits in the queue belongs to the past that is asked for.
    await audit.flush();
    const begin = await beginOf(audit, request, sees, clock.nowMs());
    let cursor = begin.after;
    let { tooOld } = begin;
    while (!signal.aborted) {
      const page = await audit.after(cursor, PAGE);
      cursor = page.at(-1)?.sequence ?? cursor;
      const records = page.filter(sees).map(toWire);
      const isWritten = sink.write({ records, sequence: BigInt(cursor), tooOld });
      tooOld = false;
      if (!isWritten) await sink.drained(signal);
      if (page.length === PAGE) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      if (!request.follow) return;
      await wake.wait(BEAT_MS, signal);
    }
  },
  verifyAudit: async (_caller, { heads }) => {
    if (heads.length > MAX_HEADS) {
      throw new FleetError('INVALID_ARGUMENT', `${heads.length} heads; at most ${MAX_HEADS} are compared at once`);
    }
    await audit.flush();
    const known = heads.map(({ sequence, hash, heardMs }) => ({ sequence: Number(sequence), hash, heardMs }));
    const verdict = await audit.verify(known);
    const { records, firstSequence, head, broken, headsFound, rewritten, restored, headsLost } = verdict;
    return {
      records: BigInt(records),
      firstSequence: BigInt(firstSequence),
      head: { sequence: BigInt(head.sequence), hash: head.hash, heardMs: 0 },
      broken: broken === null ? undefined : { ...broken, sequence: BigInt(broken.sequence) },
      headsFound,
      rewritten: rewritten === null ? undefined : heads.find(({ hash }) => hash === rewritten.hash),
      restored: restored === null ? undefined : { ...restored, sequence: BigInt(restored.sequence) },
      headsLost,
    };
  },
});

const seenBy =
  ({ tenants }: Caller) =>
  ({ tenantId, actorTenantId }: AuditRecord): boolean =>
    tenants === 'all' ||
    (tenantId !== undefined &&
      tenants.includes(tenantId) &&
      (actorTenantId === undefined || tenants.includes(actorTenantId)));

/** The sequence after which to begin, and whether what was asked for is kept no more. */
const beginOf = async (
  audit: AuditLog,
  { afterSequence, sinceMs, newest }: WatchAuditRequest,
  sees: (record: AuditRecord) => boolean,
  nowMs: number,
): Promise<{ after: number; tooOld: boolean }> => {
  const asked = Number(afterSequence);
  if (asked > 0) {
    const isKept = asked <= audit.head.sequence && asked >= (await audit.floor());
    return { after: isKept ? asked : 0, tooOld: !isKept };
  }
  if (newest === 0 && sinceMs === 0) return { after: 0, tooOld: false };
  const earliestMs = sinceMs === 0 ? Number.NEGATIVE_INFINITY : nowMs - sinceMs;
  let seen = 0;
  for (let before: number | undefined; ; ) {
    const page = await audit.list({ limit: PAGE, ...(before === undefined ? {} : { beforeSequence: before }) });
    for (const record of page) {
      if (record.atMs < earliestMs || (newest > 0 && seen === newest)) return { after: record.sequence, tooOld: false };
      if (sees(record)) seen++;
    }
    if (page.length < PAGE) return { after: 0, tooOld: false };
    before = page.at(-1)?.sequence;
    await new Promise((resolve) => setImmediate(resolve));
  }
};

const toWire = (record: AuditRecord): AuditMessage => ({
  sequence: BigInt(record.sequence),
  atMs: record.atMs,
  cell: record.cell ?? '',
  actor: record.actor,
  onBehalfOf: record.onBehalfOf ?? '',
  tenantId: record.tenantId ?? '',
  hostAgent: record.hostAgent ?? '',
  agent: record.agent ?? '',
  verb: record.verb,
  target: record.target,
  outcome: record.outcome,
  reason: record.reason,
  call: record.call ?? '',
  latencyMs: record.latencyMs,
  bytes: record.bytes,
  body: record.body ?? '',
  order: record.order ?? '',
  previous: record.previous,
  hash: record.hash,
});
