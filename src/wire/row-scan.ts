/**
 * AgentRow's bytes, looked into for what somebody wants of each row: twenty thousand are not decoded for that. null is said
 * of a row that the codec has to read.
 */
import type { RowSigns } from '../domain/agent-changes.ts';
import type { ListedRow } from '../domain/listed-agent.ts';
import { MAX_ROW_BYTES } from './agent-row.ts';
import type { KnownTexts } from './known-texts.ts';
import { MessageScan } from './message-scan.ts';

/** Numbers of types.proto. */
const FIELD = {
  key: 1,
  agent: 2,
  managed: 3,
  role: 5,
  runtime: 6,
  runtimeSeen: 10,
  unit: 12,
  tmux: 13,
  heartbeat: 14,
  lastOutputMs: 15,
  startedMs: 16,
  stateSinceMs: 17,
  lastExit: 18,
  rssBytes: 19,
  cpuPercent: 20,
  watchers: 21,
  writer: 22,
  readiness: 23,
  reason: 24,
  attention: 26,
  flags: 27,
  order: 28,
} as const;
const UNIT_RESTARTS = 7;
const TMUX = { pid: 7, command: 8, title: 9, cwd: 10, dead: 11 } as const;
const HEARTBEAT = { state: 1, tsMs: 2 } as const;
const ATTENTION = { id: 1, summary: 5 } as const;

const SOMETHING: object = Object.freeze({});
/** Protobuf's wire type of a message in a message. */
const BYTES = 2;

/** Returns where it ends. Never longer than what it takes the place of. */
const putVarint = (bytes: Buffer, at: number, value: number): number => {
  let rest = value;
  let next = at;
  for (; rest > 0x7f; rest >>>= 7) bytes[next++] = (rest & 0x7f) | 0x80;
  bytes[next++] = rest;
  return next;
};

export class RowScan {
  readonly #row = new MessageScan(28);
  readonly #unit = new MessageScan(8);
  readonly #tmux = new MessageScan(17);
  readonly #heartbeat = new MessageScan(5);
  readonly #lastExit = new MessageScan(3);
  readonly #attention = new MessageScan(5);
  readonly #parts = [this.#row, this.#unit, this.#tmux, this.#heartbeat, this.#lastExit, this.#attention];

  #scan(bytes: Buffer, from: number, to: number): boolean {
    const row = this.#row;
    if (to - from > MAX_ROW_BYTES || !row.scan(bytes, from, to)) return false;
    const hasKey = row.has(FIELD.key) && row.start(FIELD.key) < row.end(FIELD.key);
    return (
      hasKey &&
      this.#part(this.#unit, FIELD.unit) &&
      this.#part(this.#tmux, FIELD.tmux) &&
      this.#part(this.#heartbeat, FIELD.heartbeat) &&
      this.#part(this.#lastExit, FIELD.lastExit) &&
      this.#part(this.#attention, FIELD.attention)
    );
  }

  /** A message as long as its key says, whatever else it is: that it is a row at all. */
  key(bytes: Buffer, texts: KnownTexts): string | null {
    if (!this.#scan(bytes, 0, bytes.length)) return null;
    const key = this.#row.text(FIELD.key, texts);
    return this.#row.isOdd ? null : key;
  }

  signs(bytes: Buffer, texts: KnownTexts): RowSigns | null {
    if (!this.#scan(bytes, 0, bytes.length)) return null;
    const [row, tmux, attention] = [this.#row, this.#tmux, this.#attention];
    const dead = tmux.uint32OrNull(TMUX.dead);
    const signs = {
      agent: row.textOrNull(FIELD.agent, texts) ?? '',
      readiness: row.textOrNull(FIELD.readiness, texts) || 'unknown',
      flags: row.texts(FIELD.flags, texts),
      watchers: row.uint32OrNull(FIELD.watchers) ?? 0,
      writer: row.textOrNull(FIELD.writer, texts),
      tmux: row.has(FIELD.tmux) ? { pid: tmux.uint32OrNull(TMUX.pid), dead: dead === null ? null : dead !== 0 } : null,
      attention: row.has(FIELD.attention) ? { id: attention.textOrNull(ATTENTION.id, texts) ?? '' } : null,
    };
    return row.isOdd || tmux.isOdd || attention.isOdd ? null : signs;
  }

  /** Its bytes without what a screen showed. What is not known, which may show one as well, is left to the codec. */
  withoutScreenText(bytes: Buffer): Buffer | null {
    if (!this.#scan(bytes, 0, bytes.length) || this.#parts.some((part) => part.hasUnknown)) return null;
    const shown = [
      { outer: FIELD.tmux, part: this.#tmux, field: TMUX.title },
      { outer: FIELD.attention, part: this.#attention, field: ATTENTION.summary },
    ].filter(({ part, field }) => part.has(field));
    if (shown.some(({ part, field }) => !part.isBytes(field))) return null;
    const row = this.#row;
    const rest = Buffer.allocUnsafeSlow(bytes.length);
    let to = 0;
    let from = 0;
    for (const { outer, part, field } of shown.sort((a, b) => row.tag(a.outer) - row.tag(b.outer))) {
      to += bytes.copy(rest, to, from, row.tag(outer));
      to = putVarint(rest, to, (outer << 3) | BYTES);
      to = putVarint(rest, to, row.end(outer) - row.start(outer) - (part.end(field) - part.tag(field)));
      to += bytes.copy(rest, to, row.start(outer), part.tag(field));
      from = part.end(field);
    }
    to += bytes.copy(rest, to, from);
    return rest.subarray(0, to);
  }

  listed(bytes: Buffer, from: number, to: number, texts: KnownTexts): ListedRow | null {
    if (!this.#scan(bytes, from, to)) return null;
    const [row, unit, tmux, heartbeat] = [this.#row, this.#unit, this.#tmux, this.#heartbeat];
    const listed = {
      key: row.text(FIELD.key, texts),
      agent: row.textOrNull(FIELD.agent, texts) ?? '',
      managed: (row.uint32OrNull(FIELD.managed) ?? 0) !== 0,
      role: row.textOrNull(FIELD.role, texts),
      runtime: row.textOrNull(FIELD.runtime, texts),
      runtimeSeen: row.textOrNull(FIELD.runtimeSeen, texts),
      unit: row.has(FIELD.unit) ? { restarts: unit.uint32OrNull(UNIT_RESTARTS) } : null,
      tmux: row.has(FIELD.tmux)
        ? { command: tmux.textOrNull(TMUX.command, texts), cwd: tmux.textOrNull(TMUX.cwd, texts) }
        : null,
      heartbeat: {
        state: heartbeat.textOrNull(HEARTBEAT.state, texts) || 'missing',
        tsMs: heartbeat.doubleOrNull(HEARTBEAT.tsMs),
      },
      lastOutputMs: row.doubleOrNull(FIELD.lastOutputMs),
      startedMs: row.doubleOrNull(FIELD.startedMs),
      stateSinceMs: row.doubleOrNull(FIELD.stateSinceMs),
      rssBytes: row.doubleOrNull(FIELD.rssBytes),
      cpuPercent: row.doubleOrNull(FIELD.cpuPercent),
      readiness: row.textOrNull(FIELD.readiness, texts) || 'unknown',
      reason: row.textOrNull(FIELD.reason, texts),
      attention: row.has(FIELD.attention) ? SOMETHING : null,
      flags: row.texts(FIELD.flags, texts),
      order: row.uint32OrNull(FIELD.order) ?? 0,
    };
    return row.isOdd || unit.isOdd || tmux.isOdd || heartbeat.isOdd ? null : listed;
  }

  #part(scan: MessageScan, field: number): boolean {
    const row = this.#row;
    if (!row.has(field)) return scan.scan(row.bytes, 0, 0);
    return row.isBytes(field) && scan.scan(row.bytes, row.start(field), row.end(field));
  }
}
