/** The same roster as JSON, where its host keeps it so: keys in their order, comments left behind. */
import { parseYaml } from '../roster-text.ts';

export const asJson = (text: string): string =>
  `${JSON.stringify(parseYaml(text).toJS({ maxAliasCount: 10_000 }), null, 2)}\n`;
