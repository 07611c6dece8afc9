/** What of a row makes events, read past all the rest of it: every row of a thousand hosts is asked when they come back. */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { RowSigns } from '../domain/agent-changes.ts';
import { FleetError } from '../domain/errors.ts';

const BYTES = 2;
const VARINT = 0;
const tag = (field: number, type: number): number => (field << 3) | type;

const ROW = {
  agent: tag(2, BYTES),
  tmux: tag(13, BYTES),
  watchers: tag(21, VARINT),
  writer: tag(22, BYTES),
  readiness: tag(23, BYTES),
  attention: tag(26, BYTES),
  flag: tag(27, BYTES),
};
const TMUX = { pid: tag(7, VARINT), dead: tag(11, VARINT) };
const ATTENTION = { id: tag(1, BYTES) };

/** Calls `take` at each field up to `end`; one that it does not read is skipped. What comes twice counts as it came last. */
const scan = (reader: BinaryReader, end: number, take: (tag: number) => boolean): void => {
  while (reader.pos < end) {
    const found = reader.uint32();
    if (!take(found)) reader.skip(found & 7, found >>> 3);
  }
};

/** As `decodeAgentRow` reads them. INVALID_ARGUMENT for what is no message. */
export const rowSignsOf = (row: Uint8Array): RowSigns => {
  const signs: RowSigns = {
    agent: '',
    readiness: 'unknown',
    flags: [],
    watchers: 0,
    writer: null,
    tmux: null,
    attention: null,
  };
  const reader = new BinaryReader(row);
  const within = (take: (found: number) => boolean): void => {
    const length = reader.uint32();
    scan(reader, reader.pos + length, take);
  };
  const takeTmux = (): void => {
    const tmux: NonNullable<RowSigns['tmux']> = { pid: null, dead: null };
    within((found) => {
      if (found === TMUX.pid) tmux.pid = reader.uint32();
      else if (found === TMUX.dead) tmux.dead = reader.bool();
      else return false;
      return true;
    });
    signs.tmux = tmux;
  };
  const takeAttention = (): void => {
    const attention = { id: '' };
    within((found) => {
      if (found !== ATTENTION.id) return false;
      attention.id = reader.string();
      return true;
    });
    signs.attention = attention;
  };
  try {
    scan(reader, reader.len, (found) => {
      if (found === ROW.agent) signs.agent = reader.string();
      else if (found === ROW.tmux) takeTmux();
      else if (found === ROW.watchers) signs.watchers = reader.uint32();
      else if (found === ROW.writer) signs.writer = reader.string();
      else if (found === ROW.readiness) signs.readiness = reader.string() || 'unknown';
      else if (found === ROW.attention) takeAttention();
      else if (found === ROW.flag) signs.flags.push(reader.string());
      else return false;
      return true;
    });
  } catch (cause) {
    throw new FleetError('INVALID_ARGUMENT', 'agent row is not a valid message', { cause });
  }
  return signs;
};
