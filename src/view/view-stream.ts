/**
 * A view as the frames of WatchAgents: opened, then changes and a bookmark whenever the reader has caught up,
 * proof of life in between. The reader's only state is a revision; what it cannot take in time is coalesced.
 */
import type { HostAgent } from '../domain/host-agent.ts';
import type { Clock } from '../runtime/clock.ts';
import type { MessageSink } from '../runtime/message-sink.ts';
import { sleep } from '../runtime/sleep.ts';
import { Wake } from '../runtime/wake.ts';
import type { Caller, Changes, Upstream, WatchAgentsRequest, WatchAgentsResponse } from '../wire/gen/fleet/v1/view.ts';
import type { AgentRecord, FleetView, HostAgentRecord } from './fleet-view.ts';
import { ToldHostAgents } from './told-host-agents.ts';

export interface ViewScope {
  cell: string;
  caller: Caller;
  /** What exists for this caller. */
  sees(record: HostAgentRecord | AgentRecord): boolean;
  /** Names that scope: a reader resumes only in the one in which it stopped. */
  scope: string;
  /** Only the host-agent that answers. */
  hereOnly: boolean;
  upstream(): Upstream;
  /** Where rows can come to exist and cease to for this reader while their agents stay: of one stream. */
  lens?: ViewLens;
}

/** What a reader is told of what it sees, where that is not all of it. Such a reader cannot resume. */
export interface ViewLens {
  /** Whether a change of an agent is told, and as what; `removed`: it is there no more. */
  judge(record: AgentRecord, removed: boolean): 'tell' | 'remove' | 'hide';
  /** The next row that may be told since others left. */
  release(): AgentRecord | null;
  /** A host-agent of which something else than before is to be said, once. */
  restated(): string | null;
  /** Its host-agent is told no more, and none of its rows; without an id: nothing was told. */
  forget(hostAgent?: string): void;
  /** How many more rows it would be told without a limit. */
  readonly withheld: number;
  bytesOf(record: AgentRecord): Buffer;
  said(agent: HostAgent): HostAgent;
}

/** Soft limit of one frame; with one more row of at most 64 KiB it stays below the wire's 512 KiB. */
const MAX_CHUNK_BYTES = 256 * 1024;
/** The same of host-agents, which cost both sides several times what as many bytes of rows do. */
const MAX_LINK_BYTES = 64 * 1024;
const HEARD_INTERVAL_MS = 2_000;
/** Changes that come closer together than this travel in one frame. */
const FLUSH_INTERVAL_MS = 20;
/** Changes that are looked at in one go, whether or not the reader sees them. */
const MAX_LOOKS = 500;

/** Resolves when the snapshot is sent (no follow), or when the signal aborts. */
export const streamView = async (
  view: FleetView,
  request: WatchAgentsRequest,
  scope: ViewScope,
  sink: MessageSink<WatchAgentsResponse>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  const wake = new Wake();
  using _subscription = view.log.onChange(() => wake.poke());
  const resumeFrom = view.resumeTokens.open(request.resumeToken, scope.scope);
  const resumed = resumeFrom !== null && view.log.reaches(resumeFrom) && scope.lens === undefined;
  const visible = (record: HostAgentRecord | AgentRecord): boolean =>
    scope.sees(record) && (!scope.hereOnly || ownerOf(record) === view.hereId);

  const send = async (frame: WatchAgentsResponse): Promise<void> => {
    if (!sink.write(frame)) await sink.drained(signal);
  };

  await send({ opened: { cell: scope.cell, resumed, caller: scope.caller } });
  // Links are told anew on every opening: a reader that was away judged them by itself meanwhile.
  const told = new ToldHostAgents(view, (agent) => scope.lens?.said(agent) ?? agent);
  let links = newChanges();
  let linkBytes = 0;
  for (const record of [...view.hostAgents()]) {
    if (!visible(record)) continue;
    linkBytes += told.tell(record, links);
    if (linkBytes < MAX_LINK_BYTES) continue;
    await send({ changes: links });
    await yieldToLoop();
    links = newChanges();
    linkBytes = 0;
  }
  if (links.hostAgents.length > 0) await send({ changes: links });

  let cursor = resumed ? resumeFrom : 0n;
  let bookmarked = false;
  let withheld = 0;
  let lastHeardMono = clock.monotonicMs();
  while (!signal.aborted) {
    if (!view.log.reaches(cursor)) {
      // Too old: this reader lagged behind everything that is remembered of removals.
      cursor = 0n;
      bookmarked = false;
      told.forgetAll();
      scope.lens?.forget();
      await send({ opened: { cell: scope.cell, resumed: false, caller: scope.caller } });
    }
    const { changes, revision, more } = nextChanges(view, cursor, visible, { ...request, lens: scope.lens }, told);
    cursor = revision;
    if (changes) await send({ changes });
    if (more) {
      await yieldToLoop();
      continue;
    }
    if (changes || !bookmarked || withheld !== (scope.lens?.withheld ?? 0)) {
      bookmarked = true;
      withheld = scope.lens?.withheld ?? 0;
      const resumeToken = view.resumeTokens.seal(cursor, scope.scope);
      await send({ bookmark: { resumeToken, upstream: scope.upstream(), ...(withheld > 0 ? { withheld } : {}) } });
    }
    if (!request.follow) return;
    if (changes) await sleep(FLUSH_INTERVAL_MS, signal);
    const untilHeardMs = lastHeardMono + HEARD_INTERVAL_MS - clock.monotonicMs();
    if (untilHeardMs > 0) await wake.wait(untilHeardMs, signal);
    if (clock.monotonicMs() - lastHeardMono >= HEARD_INTERVAL_MS) {
      await send({ heard: heardNews(view, told, visible, scope) });
      lastHeardMono = clock.monotonicMs();
    }
  }
};

const ownerOf = (record: HostAgentRecord | AgentRecord): string =>
  record.kind === 'agent' ? record.hostAgent : record.id;

const newChanges = (): Changes => ({ hostAgents: [], agents: [], removedHostAgents: [], removedAgents: [] });

const nextChanges = (
  view: FleetView,
  cursor: bigint,
  visible: (record: HostAgentRecord | AgentRecord) => boolean,
  { hostsOnly, lens }: { hostsOnly: boolean; lens: ViewLens | undefined },
  told: ToldHostAgents,
): { changes: Changes | null; revision: bigint; more: boolean } => {
  const changes = newChanges();
  let revision = cursor;
  let bytes = 0;
  let looks = 0;
  const tellRow = (record: AgentRecord): void => {
    const { hostAgent, key } = record;
    const owner = view.hostAgent(hostAgent);
    if (owner && !told.knows(hostAgent)) bytes += told.tell(owner, changes);
    const row = lens?.bytesOf(record) ?? record.row;
    changes.agents.push({ hostAgent, key, row });
    bytes += row.length + key.length + 64;
  };
  const removeRow = ({ hostAgent, key }: AgentRecord): void => {
    changes.removedAgents.push({ hostAgent, key });
    bytes += key.length + 64;
  };
  const isFull = (): boolean => bytes >= MAX_CHUNK_BYTES;
  const result = (more: boolean) => {
    for (const record of lens === undefined ? [] : untilFull(() => lens.release(), isFull)) {
      if (!hostsOnly) tellRow(record);
    }
    for (const id of lens === undefined ? [] : untilFull(() => lens.restated(), isFull)) {
      const owner = view.hostAgent(id);
      if (owner && told.knows(id)) bytes += told.tell(owner, changes);
    }
    const isEmpty = Object.values(changes).every((list: unknown[]) => list.length === 0);
    return { changes: isEmpty ? null : changes, revision, more: more || (lens !== undefined && isFull()) };
  };
  for (const { value: record, removed, revision: changedAt } of view.log.since(cursor)) {
    if (isFull() || looks === MAX_LOOKS) return result(true);
    looks++;
    revision = changedAt;
    const present = removed ? view.present(record) : undefined;
    if (record.kind === 'agent' && lens !== undefined) {
      // What stands elsewhere by now is judged as what it is there.
      const as = present === undefined ? lens.judge(record, removed) : 'hide';
      if (hostsOnly) continue;
      if (as === 'tell') tellRow(record);
      else if (as === 'remove') removeRow(record);
      continue;
    }
    if (!visible(record) || (hostsOnly && record.kind === 'agent')) continue;
    if (present !== undefined && visible(present)) continue;
    if (record.kind === 'agent') {
      if (removed) removeRow(record);
      else tellRow(record);
    } else if (removed) {
      bytes += told.forget(record.id, changes);
      lens?.forget(record.id);
    } else bytes += told.tell(record, changes);
  }
  return result(false);
};

function* untilFull<T>(next: () => T | null, isFull: () => boolean): Generator<T> {
  while (!isFull()) {
    const one = next();
    if (one === null) return;
    yield one;
  }
}

/** Host-agents heard since this reader was last told. */
const heardNews = (
  view: FleetView,
  told: ToldHostAgents,
  visible: (record: HostAgentRecord) => boolean,
  scope: ViewScope,
) => {
  const hosts = [];
  for (const record of view.hostAgents()) {
    if (!record.facts || !visible(record) || !told.isNews(record)) continue;
    const said = view.say(record);
    hosts.push({ hostAgent: record.id, heardAgeMs: said.heardAgeMs, hostNowMs: record.facts.hostNowMs });
  }
  return { hosts, upstream: scope.upstream() };
};

const yieldToLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
