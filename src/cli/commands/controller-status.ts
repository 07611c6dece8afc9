import { authorityStatus, controllerStatus } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { dialWords } from '../controller/dial-words.ts';
import { standingLines, standingObject } from '../controller/standing-text.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 5_000;

export const run = async ({ flags, paths, stdout, signal }: CommandContext): Promise<number> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  const call = { deadlineMs: DEADLINE_MS, signal };
  const { cell, version, listening, advertised, hostAgents, connected, pid } = await channel.unary(
    controllerStatus,
    {},
    call,
  );
  const { standing } = await channel.unary(authorityStatus, {}, call);
  if (flags.output === 'json') {
    const facts = { cell, version, pid, listening, advertised, host_agents: hostAgents, connected };
    const document = { schema: 'fleet.controller/v1', ...facts, authority: standing ? standingObject(standing) : null };
    stdout.write(`${jsonText(document)}\n`);
    return EXIT.done;
  }
  const lines = [
    `cell ${cell}, version ${version}, process ${pid}`,
    `listens on ${listening.join(', ')}; hosts dial ${dialWords(listening, advertised)}`,
    `${connected} of ${hostAgents} host-agents connected`,
    ...(standing ? standingLines(standing) : []),
  ];
  await writeAll(stdout, linesOf(lines), signal);
  return EXIT.done;
};
