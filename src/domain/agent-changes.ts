/** What two rows of one agent differ in, as events. Pure; "cannot ask" is no event. */
import type { AgentRow, Attention, TmuxFacts } from './agent-row.ts';
import { type FleetEvent, NOTHING_SAID } from './fleet-event.ts';

/** What of a row is looked at for a mark. */
export interface RowSigns extends Pick<AgentRow, 'agent' | 'readiness' | 'flags' | 'watchers' | 'writer'> {
  tmux: Pick<TmuxFacts, 'pid' | 'dead'> | null;
  attention: Pick<Attention, 'id'> | null;
}

/** What of a row makes events. */
export interface AgentMark {
  agent: string;
  isUp: boolean;
  /** Of its pane: another one is another run. */
  pid: number | null;
  hasDrift: boolean;
  /** The prompt at which it waits for a person; empty while it does not. */
  promptId: string;
  isWaiting: boolean;
  isWatched: boolean;
  writer: string;
}

export type AgentChange = Pick<FleetEvent, 'kind'> & Partial<FleetEvent>;

const UNSEEN: Omit<AgentMark, 'agent'> = {
  isUp: false,
  pid: null,
  hasDrift: false,
  promptId: '',
  isWaiting: false,
  isWatched: false,
  writer: '',
};

/** `before` stands for what the row does not say: a tmux that cannot be asked leaves an agent as it was. */
export const markOf = (row: RowSigns, before: AgentMark | null): AgentMark => {
  const isDown = row.readiness === 'dead' || row.tmux?.dead === true || row.flags.includes('MISSING');
  const isUp = !isDown && (row.tmux !== null || (before?.isUp ?? false));
  const isBlocked = row.readiness === 'stuck' && row.attention !== null;
  return {
    agent: row.agent,
    isUp,
    pid: isUp ? (row.tmux?.pid ?? before?.pid ?? null) : null,
    hasDrift: row.flags.includes('DRIFT'),
    promptId: isBlocked ? (row.attention?.id ?? '') : '',
    isWaiting: row.readiness === 'available',
    isWatched: row.watchers > 0,
    writer: row.writer ?? '',
  };
};

/** Between the same marks there is no change. */
export const isSameMark = (a: AgentMark | null, b: AgentMark | null): boolean =>
  a === null || b === null ? a === b : (Object.keys(a) as (keyof AgentMark)[]).every((name) => a[name] === b[name]);

/** `row` null: it left. In the order in which they are to be told. */
export const changesBetween = (
  before: AgentMark | null,
  after: AgentMark | null,
  row: AgentRow | null,
): AgentChange[] => {
  const old = before ?? UNSEEN;
  const now = after ?? UNSEEN;
  const changes: AgentChange[] = [];
  const say = (isSo: boolean, change: AgentChange): void => {
    if (isSo) changes.push({ ...change, agent: (after ?? before)?.agent ?? '' });
  };
  const isAnew = old.isUp && now.isUp && old.pid !== null && now.pid !== null && old.pid !== now.pid;
  say(old.writer !== '' && old.writer !== now.writer, { kind: 'takeover-end', actor: old.writer });
  say(old.isWatched && !now.isWatched, { kind: 'watch-end' });
  say(old.isUp && !now.isUp, { kind: 'down', reason: endOf(row) });
  say(!old.isUp && now.isUp, { kind: 'up' });
  say(isAnew, { kind: 'up', reason: 'anew' });
  say(!old.hasDrift && now.hasDrift, { kind: 'drift', reason: driftOf(row) });
  say(now.promptId !== '' && now.promptId !== old.promptId, {
    kind: 'blocked',
    reasonCode: cut(row?.reasonCode ?? ''),
    promptId: cut(now.promptId),
  });
  say(!old.isWaiting && now.isWaiting, { kind: 'waiting' });
  say(!old.isWatched && now.isWatched, { kind: 'watch-begin' });
  say(now.writer !== '' && now.writer !== old.writer, { kind: 'takeover-begin', actor: cut(now.writer) });
  return changes;
};

const MAX_CHARACTERS = 128;
const cut = (text: string): string => text.slice(0, MAX_CHARACTERS);

/** A row's own reason may be words of a host that we do not know; what tmux and systemd say is a closed set. */
const endOf = (row: AgentRow | null): string => {
  const signal = row?.tmux?.signal ?? row?.lastExit?.signal ?? null;
  if (signal) return cut(`killed by ${signal}`);
  const status = row?.tmux?.exitStatus ?? row?.lastExit?.status ?? null;
  if (status !== null) return `exited ${status}`;
  return row?.unit?.activeState === 'failed' ? 'unit failed' : 'session ended';
};

const driftOf = (row: AgentRow | null): string => cut(`runs ${row?.runtimeSeen ?? '?'}, not ${row?.runtime ?? '?'}`);

export const eventOf = (
  change: AgentChange,
  of: Pick<FleetEvent, 'cell' | 'host' | 'user' | 'tenantId'>,
  atMs: number,
): FleetEvent => {
  const { cell, host, user, tenantId } = of;
  return { ...NOTHING_SAID, ...change, cell, host, user, tenantId, atMs };
};
