import { cleanText } from '../../domain/clean-text.ts';
import type { AuditRecord, WatchAuditResponse } from '../../wire/gen/fleet/v1/audit.ts';
import { watchAudit } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { AUDIT_COLUMNS, AUDIT_SCHEMA, auditObject } from '../records/audit-text.ts';
import { listOwnOrders } from '../records/own-orders.ts';
import { countOf, type RecordForm, sinceMsOf } from '../records/record-flags.ts';
import { runResumed } from '../records/resumed-stream.ts';
import { RunningTable } from '../records/running-table.ts';
import { verifyWhole } from '../records/verify-audit.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import { UsageError } from '../usage-error.ts';
import { exitOfSignal } from '../watch/leaving.ts';

const MAX_COUNT = 100_000;
const DEFAULT_COUNT = 50;

export const run = async (context: CommandContext): Promise<number> => {
  const { flags } = context;
  const form = flags.output as RecordForm;
  const follows = flags.follow === true;
  const modes = ['local', 'verify'].filter((mode) => flags[mode] === true);
  if (modes.length + Number(follows) > 1) throw new UsageError('fleet audit: one of -f, --verify and --local');
  if (follows && form === 'json') throw new UsageError('-f writes one JSON object a line: use -o ndjson');
  const sinceMs = sinceMsOf(context);
  const count = countOf(context, MAX_COUNT);
  if (flags.verify === true) return verifyWhole(context);
  if (flags.local === true && context.paths.context !== null) {
    throw new UsageError('--local is the journal of this machine: leave the context out, as --context local');
  }
  if (flags.local === true) return listOwnOrders(context, { sinceMs, count });
  const newest = count ?? (sinceMs === 0 ? DEFAULT_COUNT : 0);
  return tell(context, { form, follows, newest, sinceMs });
};

const tell = async (
  context: CommandContext,
  { form, follows, newest, sinceMs }: { form: RecordForm; follows: boolean; newest: number; sinceMs: number },
): Promise<number> => {
  const { paths, stdout, stderr, env, signal } = context;
  const table = new RunningTable(AUDIT_COLUMNS, painterFor(stdout, env));
  const whole: AuditRecord[] = [];
  let sequence = 0n;
  const take = async (message: WatchAuditResponse): Promise<void> => {
    if (message.tooOld)
      stderr.write(`fleet: records after ${sequence} are no longer all kept; here are those that are\n`);
    sequence = message.sequence;
    const { records } = message;
    if (form === 'json') whole.push(...records);
    else if (form === 'table') await writeAll(stdout, linesOf(table.lines(records)), signal);
    else await writeAll(stdout, linesOf(records.map((record) => jsonText(lineOf(record)))), signal);
  };
  await runResumed(
    {
      endpoint: adminEndpoint(paths),
      method: watchAudit,
      request: () => ({ follow: follows, afterSequence: sequence, sinceMs, newest }),
      onMessage: take,
      onBroken: (reason) => stderr.write(`${cleanText(`fleet: ${reason}; trying again`)}\n`),
      follow: follows,
    },
    signal,
  );
  if (signal.aborted) return exitOfSignal(signal);
  if (form === 'json') {
    const document = { schema: AUDIT_SCHEMA, records: whole.map(auditObject) };
    await writeAll(stdout, linesOf([jsonText(document)]), signal);
  }
  return EXIT.done;
};

const lineOf = (record: AuditRecord): object => ({ schema: AUDIT_SCHEMA, ...auditObject(record) });
