/** The whole chain looked through where it is kept, and compared with what the host-agent of this machine heard of it. */
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import type { AuditHead, VerifyAuditResponse } from '../../wire/gen/fleet/v1/audit.ts';
import { askHostAgent } from '../ask.ts';
import { controllerStatus, verifyAudit } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { whoAmI } from '../client/methods.ts';
import { getAuditHeads } from '../client/record-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { isoTime } from '../render/iso-time.ts';
import { jsonText } from '../render/json.ts';
import { AUDIT_SCHEMA } from './audit-text.ts';
import { localTime } from './running-table.ts';

const DEADLINE_MS = 5_000;
/** Of some 200,000 records. */
const VERIFY_DEADLINE_MS = 120_000;

interface Kept {
  heads: AuditHead[];
  /** Why there are none to compare with. */
  why: string | null;
}

export const verifyWhole = async (context: CommandContext): Promise<number> => {
  const { paths, flags, stdout, signal } = context;
  using channel = new GrpcChannel(adminEndpoint(paths));
  const { cell } = await channel.unary(controllerStatus, {}, { deadlineMs: DEADLINE_MS, signal });
  const kept = await keptHeads(context, cell);
  const request = { heads: kept.heads };
  const verdict = await channel.unary(verifyAudit, request, { deadlineMs: VERIFY_DEADLINE_MS, signal });
  const lines = flags.output === 'table' ? verdictLines(verdict, kept) : [jsonText(verdictObject(verdict, kept))];
  await writeAll(stdout, linesOf(lines.map(cleanText)), signal);
  return isWhole(verdict) ? EXIT.done : EXIT.failed;
};

/** A host-agent that does not answer, or belongs elsewhere, is no reason not to look. */
const keptHeads = async ({ paths, signal }: CommandContext, cell: string): Promise<Kept> => {
  const call = { deadlineMs: DEADLINE_MS, signal };
  try {
    const { cell: its, host, user } = await askHostAgent(paths, whoAmI, {}, call);
    if (its !== cell) return { heads: [], why: `the host-agent of this machine belongs to cell ${its}` };
    const { heads } = await askHostAgent(paths, getAuditHeads, { hostAgent: `${host}/${user}` }, call);
    return { heads, why: heads.length === 0 ? 'the host-agent of this machine has heard of none yet' : null };
  } catch (error) {
    if (!(error instanceof FleetError) || signal.aborted) throw error;
    return { heads: [], why: error.message };
  }
};

const isWhole = ({ broken, rewritten }: VerifyAuditResponse): boolean =>
  broken === undefined && rewritten === undefined;

const verdictLines = (verdict: VerifyAuditResponse, { why }: Kept): string[] => {
  const { records, firstSequence, head, broken, headsFound, rewritten, restored, headsLost } = verdict;
  const lines = [];
  if (broken) {
    const when = broken.atMs > 0 ? ` of ${localTime(broken.atMs)}` : '';
    lines.push(`BROKEN at record ${broken.sequence}${when}: ${broken.why}; ${records} records before it hold`);
  } else if (records === 0n) lines.push('the chain has no record yet');
  else lines.push(`the chain holds: ${records} records, ${firstSequence} to ${head?.sequence}`);
  if (restored) {
    lines.push(`restored at record ${restored.sequence}, ${localTime(restored.atMs)}: ${restored.reason}`);
    if (headsLost > 0) lines.push(`a gap: ${headsLost} records that this host heard of before that are in it no more`);
  }
  if (rewritten) {
    const heard = localTime(rewritten.heardMs);
    lines.push(`REWRITTEN: record ${rewritten.sequence} is not the one that this host heard of at ${heard}`);
  } else if (why !== null) lines.push(`not compared with what a host kept: ${why}`);
  else if (!broken) lines.push(`${headsFound} of its records are those that this host heard of`);
  return lines;
};

const verdictObject = (verdict: VerifyAuditResponse, { heads, why }: Kept): object => ({
  schema: AUDIT_SCHEMA,
  whole: isWhole(verdict),
  records: Number(verdict.records),
  first_sequence: Number(verdict.firstSequence),
  last_sequence: Number(verdict.head?.sequence ?? 0n),
  broken: verdict.broken
    ? { sequence: Number(verdict.broken.sequence), at: isoTime(verdict.broken.atMs), why: verdict.broken.why }
    : null,
  heads: { kept: heads.length, found: verdict.headsFound, lost: verdict.headsLost, why_none: why },
  restored: verdict.restored
    ? {
        sequence: Number(verdict.restored.sequence),
        at: isoTime(verdict.restored.atMs),
        reason: verdict.restored.reason,
      }
    : null,
  rewritten: verdict.rewritten
    ? { sequence: Number(verdict.rewritten.sequence), heard: isoTime(verdict.rewritten.heardMs) }
    : null,
});
