import { GRANT_VERBS } from '../../domain/grant.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { addGrant } from '../client/grant-methods.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { coveredLines, GRANT_SCHEMA, grantLines, grantObject } from '../grants/grant-text.ts';
import { LONGEST_GRANT, spanMs } from '../orders/time-span.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';

const DEADLINE_MS = 10_000;
const MAX_ROWS = 10_000;

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, stdout, stderr, signal } = context;
  const dryRun = flags['dry-run'] === true;
  const request = {
    peer: positionals[0] as string,
    tenants: named(context, 'tenant', 'whose agents'),
    hosts: named(context, 'host', "on which hosts ('*': all)"),
    agents: named(context, 'agent', "which agents ('*': all)"),
    verbs: named(context, 'verb', `what may be done (${GRANT_VERBS.join(', ')})`),
    rowLimit: rowsOf(flags.rows as string),
    validMs: flags.expires === undefined ? 0 : spanMs('expires', flags.expires as string, LONGEST_GRANT),
    dryRun,
  };
  using channel = new GrpcChannel(adminEndpoint(paths));
  const { grant } = await channel.unary(addGrant, request, { deadlineMs: DEADLINE_MS, signal });
  if (grant === undefined) return EXIT.failed;
  if (flags.output === 'json') {
    stdout.write(`${jsonText({ schema: GRANT_SCHEMA, dry_run: dryRun, grants: [grantObject(grant)] })}\n`);
    return EXIT.done;
  }
  const { addresses, footer } = coveredLines(grant);
  const lines = dryRun ? addresses : grantLines([grant], Date.now());
  await writeAll(stdout, linesOf(lines), signal);
  stderr.write(dryRun ? `it would show ${footer}; nothing was changed\n` : `it shows ${footer} now\n`);
  return EXIT.done;
};

const named = ({ flags }: CommandContext, flag: string, what: string): string[] => {
  const words = (flags[flag] ?? []) as string[];
  if (words.length > 0) return words;
  throw new UsageError(`say ${what}: --${flag}`);
};

const rowsOf = (text: string): number => {
  const rows = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : Number.NaN;
  if (rows <= MAX_ROWS) return rows;
  throw new UsageError(`--rows "${text}": a number from 1 to ${MAX_ROWS}`);
};
