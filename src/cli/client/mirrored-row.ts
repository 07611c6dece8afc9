/** A row of a mirrored view: its bytes where they came, looked into for a list, decoded for whoever wants all of it. */
import type { AgentRow } from '../../domain/agent-row.ts';
import type { ListedRow } from '../../domain/listed-agent.ts';
import { decodeAgentRow } from '../../wire/agent-row.ts';
import type { AgentEntry } from '../../wire/gen/fleet/v1/view.ts';
import type { KnownTexts } from '../../wire/known-texts.ts';
import type { RowScan } from '../../wire/row-scan.ts';
import { FrameEntry } from '../../wire/watch-frames.ts';

/** What all rows of a view are read with. */
export interface RowReader {
  scan: RowScan;
  texts: KnownTexts;
  /** What was read will be looked at again. */
  keeps: boolean;
}

/** A row as it came, a part of its frame; decoded when somebody looks at all of it. */
export class MirroredRow {
  readonly key: string;
  readonly frame: Buffer;
  readonly start: number;
  readonly end: number;
  readonly #reader: RowReader;
  #row: AgentRow | null = null;
  #listed: ListedRow | null = null;

  constructor(entry: AgentEntry, reader: RowReader) {
    const isPart = entry instanceof FrameEntry;
    this.key = entry.key;
    this.frame = isPart ? entry.frame : entry.row;
    this.start = isPart ? entry.start : 0;
    this.end = isPart ? entry.end : entry.row.length;
    this.#reader = reader;
  }

  get row(): AgentRow {
    if (this.#row) return this.#row;
    const row = decodedOrUnreadable(this.key, this.frame.subarray(this.start, this.end));
    if (this.#reader.keeps) this.#row = row;
    return row;
  }

  /** What a list tells of it, which is cheaper than all of it. */
  get listed(): ListedRow {
    if (this.#row ?? this.#listed) return (this.#row ?? this.#listed) as ListedRow;
    const { scan, texts, keeps } = this.#reader;
    const listed = scan.listed(this.frame, this.start, this.end, texts);
    if (listed !== null && keeps) this.#listed = listed;
    return listed ?? this.row;
  }

  isSameAs({ frame, start, end }: MirroredRow): boolean {
    return this.frame.compare(frame, start, end, this.start, this.end) === 0;
  }
}

/** A row that this version cannot read is still a row: what exists is never shown as nothing. */
const decodedOrUnreadable = (key: string, bytes: Uint8Array): AgentRow => {
  try {
    return decodeAgentRow(bytes);
  } catch {
    return unreadableRow(key);
  }
};

const unreadableRow = (key: string): AgentRow => ({
  key,
  agent: '(unreadable row)',
  managed: false,
  source: 'socket',
  role: null,
  runtime: null,
  model: null,
  effort: null,
  lifecycle: null,
  runtimeSeen: null,
  modelSeen: null,
  unit: null,
  tmux: null,
  heartbeat: { state: 'missing', tsMs: null, status: null, pid: null, source: null },
  lastOutputMs: null,
  startedMs: null,
  stateSinceMs: null,
  lastExit: null,
  rssBytes: null,
  cpuPercent: null,
  watchers: 0,
  writer: null,
  readiness: 'unknown',
  reason: 'row of another version',
  reasonCode: null,
  attention: null,
  flags: [],
  order: Number.MAX_SAFE_INTEGER,
});
