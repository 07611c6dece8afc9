/**
 * A view's changes as events: a reader of its log that remembers of each row only what makes events. Hosts that are lost
 * keep their agents as they were; an operator who removes a host ends nothing.
 */
import { type AgentMark, changesBetween, eventOf, isSameMark, markOf } from '../domain/agent-changes.ts';
import type { FleetEvent } from '../domain/fleet-event.ts';
import type { Clock } from '../runtime/clock.ts';
import { decodeAgentRow } from '../wire/agent-row.ts';
import { rowSignsOf } from '../wire/row-signs.ts';
import type { AgentRecord, FleetView, HostAgentRecord } from './fleet-view.ts';
import type { Change } from './revision-log.ts';

export interface ViewEventsOptions {
  view: FleetView;
  clock: Clock;
  /** Host-agents that were told to be lost before this run. */
  lost?: ReadonlySet<string>;
  /** Only of these. */
  isMeant?: (record: HostAgentRecord) => boolean;
}

/** Rows that are looked at in one go. */
const STEP = 200;

/** The same whosever it is. */
const markKey = ({ hostAgent, key }: Pick<AgentRecord, 'hostAgent' | 'key'>): string => `${hostAgent}\n${key}`;

export class ViewEvents {
  readonly #options: ViewEventsOptions;
  readonly #marks = new Map<string, AgentMark>();
  readonly #lost: Set<string>;
  #cursor = 0n;

  /** Whatever the view holds by now is no news. */
  constructor(options: ViewEventsOptions) {
    this.#options = options;
    this.#lost = new Set(options.lost);
    const { log } = options.view;
    for (const { value, removed } of log.since(0n)) {
      if (value.kind === 'agent' && !removed) this.#mark(value);
    }
    this.#cursor = log.revision;
  }

  /** What is new, oldest first; `more`: ask again, after the loop has turned. */
  take(): { events: FleetEvent[]; more: boolean } {
    const { log } = this.#options.view;
    const events: FleetEvent[] = [];
    if (!log.reaches(this.#cursor)) events.push(...this.#relearn());
    let looked = 0;
    for (const change of log.since(this.#cursor)) {
      if (looked === STEP) return { events, more: true };
      looked += 1;
      this.#cursor = change.revision;
      const { value, removed } = change;
      // It only belongs to somebody else by now.
      if (removed && this.#options.view.present(value) !== undefined) continue;
      if (value.kind === 'host-agent') events.push(...this.#host(value, removed));
      else events.push(...this.#agent(change as Change<AgentRecord>));
    }
    return { events, more: false };
  }

  #mark(record: AgentRecord): void {
    const mark = markIn(record, null);
    if (mark !== null) this.#marks.set(markKey(record), mark);
  }

  /** Too far behind for what is remembered of removals: those that are not held any more have left. */
  #relearn(): FleetEvent[] {
    const { view, clock, isMeant } = this.#options;
    this.#cursor = 0n;
    const events: FleetEvent[] = [];
    for (const [name, mark] of this.#marks) {
      const at = name.indexOf('\n');
      const owner = view.hostAgent(name.slice(0, at));
      if (view.rowsOf(name.slice(0, at)).has(name.slice(at + 1))) continue;
      this.#marks.delete(name);
      if (owner === undefined || isMeant?.(owner) === false) continue;
      events.push(...changesBetween(mark, null, null).map((change) => eventOf(change, owner, clock.nowMs())));
    }
    return events;
  }

  #host(record: HostAgentRecord, removed: boolean): FleetEvent[] {
    const { clock, isMeant } = this.#options;
    const { id, linkState, linkReason } = record;
    if (removed) {
      this.#lost.delete(id);
      const prefix = markKey({ hostAgent: id, key: '' });
      for (const name of this.#marks.keys()) if (name.startsWith(prefix)) this.#marks.delete(name);
      return [];
    }
    const wasLost = this.#lost.has(id);
    if (linkState === 'lost') this.#lost.add(id);
    else if (linkState === 'connected') this.#lost.delete(id);
    const isLost = this.#lost.has(id);
    if (isLost === wasLost || isMeant?.(record) === false) return [];
    const kind = isLost ? 'host-lost' : 'host-back';
    return [eventOf({ kind, reason: isLost ? (linkReason ?? '') : '' }, record, clock.nowMs())];
  }

  #agent({ value, removed }: Change<AgentRecord>): FleetEvent[] {
    const { view, clock, isMeant } = this.#options;
    const name = markKey(value);
    const owner = view.hostAgent(value.hostAgent);
    const before = this.#marks.get(name) ?? null;
    const after = removed ? null : markIn(value, before);
    if (isSameMark(before, after)) return [];
    const row = removed ? null : rowOf(value);
    if (!removed && (row === null || after === null)) return [];
    if (after === null) this.#marks.delete(name);
    else this.#marks.set(name, after);
    // Its host was removed by an operator: nothing ended there.
    if (owner === undefined || isMeant?.(owner) === false) return [];
    const of = { ...owner, tenantId: value.tenantId };
    return changesBetween(before, after, row).map((change) => eventOf(change, of, clock.nowMs()));
  }
}

/** A row that this version cannot read says nothing. */
const readable = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch {
    return null;
  }
};

const markIn = ({ row }: AgentRecord, before: AgentMark | null): AgentMark | null =>
  readable(() => markOf(rowSignsOf(row), before));

const rowOf = ({ row }: AgentRecord) => readable(() => decodeAgentRow(row));
