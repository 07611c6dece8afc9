import { resolve } from 'node:path';
import { backUp } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { isoTime } from '../render/iso-time.ts';
import { jsonText } from '../render/json.ts';

/** Of a database of some hundred megabytes on a slow disk. */
const DEADLINE_MS = 300_000;

export const run = async ({ positionals, flags, paths, stdout, signal }: CommandContext): Promise<number> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  const request = { path: resolve(positionals[0] as string) };
  const made = await channel.unary(backUp, request, { deadlineMs: DEADLINE_MS, signal });
  const { path, cell, bytes, hosts, fingerprint } = made;
  if (flags.output === 'json') {
    const facts = { path, cell, bytes, hosts, fingerprint, audit_sequence: Number(made.auditSequence) };
    stdout.write(`${jsonText({ schema: 'fleet.backup/v1', ...facts, made: isoTime(made.madeMs) })}\n`);
    return EXIT.done;
  }
  const size = (bytes / 1_048_576).toFixed(1);
  stdout.write(`backed up cell ${cell} into ${path}: ${size} MB, ${hosts} hosts, checked\n`);
  stdout.write('it holds the keys of the cell: whoever has it can be the cell\n');
  return EXIT.done;
};
