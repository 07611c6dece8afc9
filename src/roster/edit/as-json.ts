/** The same roster as JSON, where its host keeps it so: keys in their order, comments left behind. */
import { parseDocument } from 'yaml';

export const asJson = (text: string): string =>
  `${JSON.stringify(parseDocument(text, { uniqueKeys: false, merge: false }).toJS({ maxAliasCount: 10_000 }), null, 2)}\n`;
