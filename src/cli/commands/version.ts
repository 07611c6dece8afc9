import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { FLEET_VERSION } from '../../runtime/version.ts';
import { askHostAgent } from '../ask.ts';
import { whoAmI } from '../client/methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

/** The program's own version must not wait for anybody. */
const DEADLINE_MS = 500;

export const run = async ({ paths, flags, stdout, signal }: CommandContext): Promise<number> => {
  const hostAgent = await hostAgentVersion(paths, signal);
  if (flags.output === 'json') {
    const document = { schema: 'fleet.version/v1', version: FLEET_VERSION, node: process.versions.node };
    stdout.write(`${jsonText({ ...document, host_agent: hostAgent })}\n`);
  } else {
    const running = hostAgent === null ? 'no host-agent answers' : `host-agent ${cleanText(hostAgent)}`;
    stdout.write(`fleet ${FLEET_VERSION} (node ${process.versions.node}; ${running})\n`);
  }
  return EXIT.done;
};

const hostAgentVersion = async (paths: CommandContext['paths'], signal: AbortSignal): Promise<string | null> => {
  try {
    return (await askHostAgent(paths, whoAmI, {}, { deadlineMs: DEADLINE_MS, signal })).version;
  } catch (error) {
    if (error instanceof FleetError) return null;
    throw error;
  }
};
