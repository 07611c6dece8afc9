/** AgentRow's bytes, looked into for what a list shows of each row: twenty thousand are not decoded for that. */
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
  readiness: 23,
  reason: 24,
  attention: 26,
  flags: 27,
  order: 28,
} as const;
const UNIT_RESTARTS = 7;
const TMUX = { command: 8, cwd: 10 } as const;
const HEARTBEAT = { state: 1, tsMs: 2 } as const;

const SOMETHING: object = Object.freeze({});

export class RowScan {
  readonly #row = new MessageScan(28);
  readonly #unit = new MessageScan(8);
  readonly #tmux = new MessageScan(17);
  readonly #heartbeat = new MessageScan(5);
  readonly #lastExit = new MessageScan(3);
  readonly #attention = new MessageScan(5);

  /** False: the codec has to read this row. */
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

  /** null: the codec has to read this row. */
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
