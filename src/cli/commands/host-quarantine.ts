import { cleanText } from '../../domain/clean-text.ts';
import { quarantineHost } from '../client/admin-methods.ts';
import { askAdmin } from '../client/ask-admin.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, stdout } = context;
  const [host = ''] = positionals;
  const lift = flags.lift === true;
  const request = { host, user: (flags.user as string | undefined) ?? '', lift };
  const { hostAgents, changed } = await askAdmin(context, quarantineHost, request);
  if (flags.output === 'json') {
    const each = hostAgents.map((id) => ({ host_agent: id, quarantined: !lift, changed: changed.includes(id) }));
    stdout.write(`${jsonText({ schema: 'fleet.quarantine/v1', host, host_agents: each })}\n`);
    return EXIT.done;
  }
  for (const id of hostAgents) stdout.write(`${cleanText(`${id} ${wordsFor(lift, changed.includes(id))}`)}\n`);
  return EXIT.done;
};

const wordsFor = (lift: boolean, hasChanged: boolean): string => {
  if (!hasChanged) return lift ? 'is not in quarantine' : 'is in quarantine already';
  return lift ? 'is out of quarantine' : 'is in quarantine: it reports, may ask nothing, and takes no orders';
};
