/**
 * In: the bytes of a tmux control client's stdout, cut anywhere. Out: reply blocks and notification lines, as
 * bytes. Never: a line taken for the end of a block that is not that block's, or a buffer without bound.
 */
import { FleetError } from '../../src/domain/errors.ts';

/** One `%begin … %end|%error` block. `ours` is false for blocks that answer no line of this client. */
export interface ControlReply {
  type: 'reply';
  ok: boolean;
  ours: boolean;
  lines: Buffer[];
}

/** A line outside all blocks, without its newline: `%sessions-changed`, `%output %3 …`. */
export interface ControlNotification {
  type: 'notification';
  line: Buffer;
}

export type ControlEvent = ControlReply | ControlNotification;

export interface ParserBounds {
  maxLineBytes: number;
  maxReplyBytes: number;
}

const NEWLINE = 0x0a;
const PERCENT = 0x25;
const GUARD = /^%(begin|end|error) (\d{1,20}) (\d{1,20}) (\d{1,5})$/;
/** Longest line that can be a guard: nothing longer is decoded to be compared. */
const MAX_GUARD_BYTES = 64;

interface OpenBlock {
  time: string;
  number: string;
  ours: boolean;
  lines: Buffer[];
  bytes: number;
}

const guardOf = (line: Buffer) =>
  line.length <= MAX_GUARD_BYTES && line[0] === PERCENT ? GUARD.exec(line.toString('latin1')) : null;

export class ControlParser {
  readonly #bounds: ParserBounds;
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #block: OpenBlock | null = null;

  constructor(bounds: ParserBounds = { maxLineBytes: 4 << 20, maxReplyBytes: 16 << 20 }) {
    this.#bounds = bounds;
  }

  /** Events completed by these bytes, in order. Throws RESOURCE_EXHAUSTED over a bound; the stream is then lost. */
  push(chunk: Buffer): ControlEvent[] {
    const events: ControlEvent[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      const event = this.#line(this.#join(chunk.subarray(from, at)));
      if (event) events.push(event);
      from = at + 1;
    }
    if (from < chunk.length) this.#keep(Buffer.from(chunk.subarray(from)));
    return events;
  }

  #keep(rest: Buffer): void {
    this.#partialBytes += rest.length;
    this.#bounded('line', this.#partialBytes, this.#bounds.maxLineBytes);
    this.#partial.push(rest);
  }

  #join(tail: Buffer): Buffer {
    this.#bounded('line', this.#partialBytes + tail.length, this.#bounds.maxLineBytes);
    // A copy: lines outlive the chunk, and must not pin its whole buffer.
    const line = Buffer.concat([...this.#partial, tail]);
    this.#partial = [];
    this.#partialBytes = 0;
    return line;
  }

  #line(line: Buffer): ControlEvent | null {
    const guard = guardOf(line);
    const block = this.#block;
    if (!block) {
      if (guard?.[1] !== 'begin') return { type: 'notification', line };
      const ours = (Number(guard[4]) & 1) === 1;
      this.#block = { time: guard[2]!, number: guard[3]!, ours, lines: [], bytes: 0 };
      return null;
    }
    if (guard && guard[1] !== 'begin' && guard[2] === block.time && guard[3] === block.number) {
      this.#block = null;
      return { type: 'reply', ok: guard[1] === 'end', ours: block.ours, lines: block.lines };
    }
    block.bytes += line.length + 1;
    this.#bounded('reply', block.bytes, this.#bounds.maxReplyBytes);
    block.lines.push(line);
    return null;
  }

  #bounded(what: string, bytes: number, max: number): void {
    if (bytes <= max) return;
    throw new FleetError('RESOURCE_EXHAUSTED', `tmux sent a ${what} of more than ${max} bytes; the client is closed`);
  }
}
