import { addressOf } from '../../domain/listed-agent.ts';
import type { CommandContext } from '../command.ts';
import { agentsTable } from '../render/agents-table.ts';
import { agentsJson, agentsOf, jsonText } from '../render/json.ts';
import { agentsFooter } from '../render/notes.ts';
import { showView, type ViewKind } from '../show-view.ts';

const AGENTS: ViewKind = {
  hostsOnly: false,
  table: agentsTable,
  footer: agentsFooter,
  json: agentsJson,
  *objects(picture) {
    for (const agent of agentsOf(picture)) yield jsonText(agent);
  },
  *names(picture) {
    for (const group of picture.groups) yield* group.listed().map(addressOf);
  },
};

export const run = (context: CommandContext): Promise<number> => showView(context, AGENTS);
