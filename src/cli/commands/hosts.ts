import { cleanText } from '../../domain/clean-text.ts';
import type { CommandContext } from '../command.ts';
import { hostsTable } from '../render/hosts-table.ts';
import { hostsJson, jsonText } from '../render/json.ts';
import { hostsFooter } from '../render/notes.ts';
import { showView, type ViewKind } from '../show-view.ts';

const HOSTS: ViewKind = {
  hostsOnly: true,
  table: hostsTable,
  footer: hostsFooter,
  json: hostsJson,
  *objects(picture) {
    for (const { host } of picture.groups) yield jsonText(host);
  },
  *names(picture) {
    for (const { id } of picture.groups) yield cleanText(id);
  },
};

export const run = (context: CommandContext): Promise<number> => showView(context, HOSTS);
