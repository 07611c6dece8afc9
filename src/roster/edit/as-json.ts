/** The same roster as JSON, where its host keeps it so: keys in their order and the roster's own spelling, comments left behind. */
import { RosterText } from '../roster-text.ts';

export const asJson = (text: string): string => `${JSON.stringify(new RosterText(text).read.value, null, 2)}\n`;
