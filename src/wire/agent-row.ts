/** AgentRow to and from its bytes. Bad input ends here as INVALID_ARGUMENT; unknown words of a newer version pass. */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { AgentRow, Attention, HeartbeatFacts, LastExit, TmuxFacts, UnitFacts } from '../domain/agent-row.ts';
import { FleetError } from '../domain/errors.ts';
import * as wire from './gen/fleet/v1/types.ts';

/** Longest row accepted; `encodeAgentRow` makes none that is longer. */
export const MAX_ROW_BYTES = 64 * 1024;

/** What a program in a pane, or whoever names sessions, can make as long as he likes, in UTF-16 units. */
const MAX_TITLE_CHARS = 512;
const MAX_COMMAND_CHARS = 256;
const MAX_PATH_CHARS = 4_096;

/** Never throws and never makes a row that is refused: a number that does not fit is unknown, a long text is cut. */
export const encodeAgentRow = (row: AgentRow): Buffer => {
  const message = toWire(row);
  const bytes = asBuffer(wire.AgentRow.encode(message).finish());
  if (bytes.length <= MAX_ROW_BYTES) return bytes;
  const short = (text: string): string => cut(text, MAX_TITLE_CHARS);
  const tmux = message.tmux && { ...message.tmux, session: short(message.tmux.session), group: undefined };
  if (tmux) tmux.groupMembers = [];
  return asBuffer(wire.AgentRow.encode({ ...message, agent: short(row.agent), tmux }).finish());
};

const cut = (text: string, maxChars: number): string =>
  text.length <= maxChars ? text : `${text.slice(0, maxChars - 1).toWellFormed()}…`;

const cutOrUndefined = (text: string | null, maxChars: number): string | undefined =>
  text === null ? undefined : cut(text, maxChars);

const within = (value: number | null, least: number, most: number): number | undefined =>
  value !== null && Number.isInteger(value) && value >= least && value <= most ? value : undefined;
const uint32 = (value: number | null): number | undefined => within(value, 0, 0xffff_ffff);
const int32 = (value: number | null): number | undefined => within(value, -0x8000_0000, 0x7fff_ffff);

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Throws INVALID_ARGUMENT for what is no row, and for one of more than MAX_ROW_BYTES. */
export const decodeAgentRow = (bytes: Uint8Array): AgentRow => {
  if (bytes.length > MAX_ROW_BYTES) {
    throw new FleetError(
      'INVALID_ARGUMENT',
      `agent row of ${bytes.length} bytes; at most ${MAX_ROW_BYTES} are accepted`,
    );
  }
  try {
    return fromWire(wire.AgentRow.decode(bytes));
  } catch (cause) {
    throw new FleetError('INVALID_ARGUMENT', 'agent row is not a valid message', { cause });
  }
};

const orUndefined = <T>(value: T | null): T | undefined => value ?? undefined;
const orNull = <T>(value: T | undefined): T | null => value ?? null;

const toWire = (row: AgentRow): wire.AgentRow => ({
  ...row,
  role: orUndefined(row.role),
  runtime: orUndefined(row.runtime),
  model: orUndefined(row.model),
  effort: orUndefined(row.effort),
  lifecycle: orUndefined(row.lifecycle),
  runtimeSeen: orUndefined(row.runtimeSeen),
  modelSeen: orUndefined(row.modelSeen),
  unit: row.unit ? unitToWire(row.unit) : undefined,
  tmux: row.tmux ? tmuxToWire(row.tmux) : undefined,
  heartbeat: heartbeatToWire(row.heartbeat),
  lastOutputMs: orUndefined(row.lastOutputMs),
  startedMs: orUndefined(row.startedMs),
  stateSinceMs: orUndefined(row.stateSinceMs),
  lastExit: row.lastExit ? lastExitToWire(row.lastExit) : undefined,
  rssBytes: orUndefined(row.rssBytes),
  cpuPercent: orUndefined(row.cpuPercent),
  writer: orUndefined(row.writer),
  reason: orUndefined(row.reason),
  reasonCode: orUndefined(row.reasonCode),
  attention: row.attention ? attentionToWire(row.attention) : undefined,
});

const unitToWire = (unit: UnitFacts): wire.Unit => ({
  name: unit.name,
  activeState: unit.activeState,
  subState: unit.subState,
  unitFileState: orUndefined(unit.unitFileState),
  result: orUndefined(unit.result),
  mainPid: uint32(unit.mainPid),
  restarts: uint32(unit.restarts),
  sinceMs: orUndefined(unit.sinceMs),
});

const tmuxToWire = (tmux: TmuxFacts): wire.Tmux => ({
  socket: tmux.socket,
  session: tmux.session,
  sessionId: tmux.sessionId,
  group: orUndefined(tmux.group),
  groupMembers: tmux.groupMembers,
  paneId: orUndefined(tmux.paneId),
  pid: uint32(tmux.pid),
  command: cutOrUndefined(tmux.command, MAX_COMMAND_CHARS),
  title: cutOrUndefined(tmux.title, MAX_TITLE_CHARS),
  cwd: cutOrUndefined(tmux.cwd, MAX_PATH_CHARS),
  dead: orUndefined(tmux.dead),
  exitStatus: int32(tmux.exitStatus),
  signal: orUndefined(tmux.signal),
  width: uint32(tmux.width),
  height: uint32(tmux.height),
  alternateScreen: orUndefined(tmux.alternateScreen),
  attached: uint32(tmux.attached),
});

const heartbeatToWire = (heartbeat: HeartbeatFacts): wire.Heartbeat => ({
  state: heartbeat.state,
  tsMs: orUndefined(heartbeat.tsMs),
  status: orUndefined(heartbeat.status),
  pid: uint32(heartbeat.pid),
  source: orUndefined(heartbeat.source),
});

export const lastExitToWire = (exit: LastExit): wire.LastExit => ({
  status: int32(exit.status),
  signal: orUndefined(exit.signal),
  atMs: orUndefined(exit.atMs),
});

const attentionToWire = (attention: Attention): wire.Attention => ({
  ...attention,
  sinceMs: orUndefined(attention.sinceMs),
});

const fromWire = (row: wire.AgentRow): AgentRow => {
  if (row.key === '') throw new FleetError('INVALID_ARGUMENT', 'agent row without a key');
  return {
    key: row.key,
    agent: row.agent,
    managed: row.managed,
    source: row.source,
    role: orNull(row.role),
    runtime: orNull(row.runtime),
    model: orNull(row.model),
    effort: orNull(row.effort),
    lifecycle: orNull(row.lifecycle),
    runtimeSeen: orNull(row.runtimeSeen),
    modelSeen: orNull(row.modelSeen),
    unit: row.unit ? unitFromWire(row.unit) : null,
    tmux: row.tmux ? tmuxFromWire(row.tmux) : null,
    heartbeat: heartbeatFromWire(row.heartbeat),
    lastOutputMs: orNull(row.lastOutputMs),
    startedMs: orNull(row.startedMs),
    stateSinceMs: orNull(row.stateSinceMs),
    lastExit: row.lastExit ? lastExitFromWire(row.lastExit) : null,
    rssBytes: orNull(row.rssBytes),
    cpuPercent: orNull(row.cpuPercent),
    watchers: row.watchers,
    writer: orNull(row.writer),
    readiness: row.readiness === '' ? 'unknown' : row.readiness,
    reason: orNull(row.reason),
    reasonCode: orNull(row.reasonCode),
    attention: row.attention ? { ...row.attention, sinceMs: orNull(row.attention.sinceMs) } : null,
    flags: row.flags,
    order: row.order,
  };
};

const unitFromWire = (unit: wire.Unit): UnitFacts => ({
  name: unit.name,
  activeState: unit.activeState,
  subState: unit.subState,
  unitFileState: orNull(unit.unitFileState),
  result: orNull(unit.result),
  mainPid: orNull(unit.mainPid),
  restarts: orNull(unit.restarts),
  sinceMs: orNull(unit.sinceMs),
});

const tmuxFromWire = (tmux: wire.Tmux): TmuxFacts => ({
  socket: tmux.socket,
  session: tmux.session,
  sessionId: tmux.sessionId,
  group: orNull(tmux.group),
  groupMembers: tmux.groupMembers,
  paneId: orNull(tmux.paneId),
  pid: orNull(tmux.pid),
  command: orNull(tmux.command),
  title: orNull(tmux.title),
  cwd: orNull(tmux.cwd),
  dead: orNull(tmux.dead),
  exitStatus: orNull(tmux.exitStatus),
  signal: orNull(tmux.signal),
  width: orNull(tmux.width),
  height: orNull(tmux.height),
  alternateScreen: orNull(tmux.alternateScreen),
  attached: orNull(tmux.attached),
});

const heartbeatFromWire = (heartbeat: wire.Heartbeat | undefined): HeartbeatFacts => ({
  state: heartbeat?.state || 'missing',
  tsMs: orNull(heartbeat?.tsMs),
  status: orNull(heartbeat?.status),
  pid: orNull(heartbeat?.pid),
  source: orNull(heartbeat?.source),
});

const lastExitFromWire = (exit: wire.LastExit): LastExit => ({
  status: orNull(exit.status),
  signal: orNull(exit.signal),
  atMs: orNull(exit.atMs),
});

const AGENT_TAG = (2 << 3) | 2;
const WRITER_TAG = (22 << 3) | 2;
const ATTENTION_TAG = (26 << 3) | 2;

export interface RowMarks {
  agent: string;
  /** It waits for a person. */
  needs: boolean;
  /** Who types; empty for nobody. */
  writer: string;
}

/** Of rows that are held: as long as their bytes. */
const marksOf = new WeakMap<Uint8Array, RowMarks>();

/** What is asked of rows again and again, read once of each row's bytes. INVALID_ARGUMENT as `decodeAgentRow`. */
export const rowMarksOf = (row: Uint8Array): RowMarks => {
  const known = marksOf.get(row);
  if (known !== undefined) return known;
  const marks = { agent: '', needs: false, writer: '' };
  try {
    for (const reader = new BinaryReader(row); reader.pos < reader.len; ) {
      const tag = reader.uint32();
      if (tag === ATTENTION_TAG) marks.needs = true;
      // What comes twice counts as it came last, as in the whole message.
      if (tag === AGENT_TAG) marks.agent = reader.string();
      else if (tag === WRITER_TAG) marks.writer = reader.string();
      else reader.skip(tag & 7, tag >>> 3);
    }
  } catch (cause) {
    throw new FleetError('INVALID_ARGUMENT', 'agent row is not a valid message', { cause });
  }
  marksOf.set(row, marks);
  return marks;
};

/** The same row, with another name for whoever types. */
export const withWriter = (bytes: Uint8Array, writer: string): Buffer =>
  asBuffer(wire.AgentRow.encode({ ...wire.AgentRow.decode(bytes), writer }).finish());
