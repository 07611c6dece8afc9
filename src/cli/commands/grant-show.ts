import { adminEndpoint } from '../client/endpoints.ts';
import { listGrants } from '../client/grant-methods.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { coveredLines, GRANT_SCHEMA, grantLines, grantObject } from '../grants/grant-text.ts';
import { linesOf, writeAll } from '../output.ts';
import { isoTime } from '../render/iso-time.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 10_000;

export const run = async ({ positionals, flags, paths, stdout, stderr, signal }: CommandContext): Promise<number> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  const request = { id: positionals[0] as string, peer: '' };
  const { grants } = await channel.unary(listGrants, request, { deadlineMs: DEADLINE_MS, signal });
  if (flags.output === 'json') {
    await writeAll(stdout, [`${jsonText({ schema: GRANT_SCHEMA, grants: grants.map(grantObject) })}\n`], signal);
    return EXIT.done;
  }
  for (const grant of grants) {
    const { addresses, footer } = coveredLines(grant);
    const words = grant.status === 'active' ? 'it shows' : `it is ${grant.status}; active it would show`;
    await writeAll(stdout, linesOf([...grantLines([grant], Date.now()), '', ...addresses]), signal);
    stderr.write(`${words} ${footer} · made ${isoTime(grant.createdMs)} by ${grant.createdBy}\n`);
  }
  return EXIT.done;
};
