/** What of a row makes events, read past all the rest of it: every row of a thousand hosts is asked when they come back. */
import type { RowSigns } from '../domain/agent-changes.ts';
import { decodeAgentRow } from './agent-row.ts';
import { KnownTexts } from './known-texts.ts';
import { RowScan } from './row-scan.ts';

const scan = new RowScan();
const texts = new KnownTexts();

/** As `decodeAgentRow` reads them, and throws. */
export const rowSignsOf = (row: Buffer): RowSigns => scan.signs(row, texts) ?? decodeAgentRow(row);

/** The same of its key alone: that it is a row is known then. */
export const rowKeyOf = (row: Buffer): string => scan.key(row, texts) ?? decodeAgentRow(row).key;
