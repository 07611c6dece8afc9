/** A row without anything that a screen showed: what may rest in a store, or go to whoever may not look at screens. */
import * as wire from './gen/fleet/v1/types.ts';
import { RowScan } from './row-scan.ts';

const scan = new RowScan();

/** Bytes of its own, or the same where nothing was to be left out. Throws what the codec throws on what is no message. */
export const withoutScreenText = (row: Buffer): Buffer => scan.withoutScreenText(row) ?? asTheCodec(row);

const asTheCodec = (bytes: Buffer): Buffer => {
  const row = wire.AgentRow.decode(bytes);
  if (row.tmux) row.tmux.title = undefined;
  if (row.attention) row.attention.summary = '';
  const rest = wire.AgentRow.encode(row).finish();
  return Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength);
};
