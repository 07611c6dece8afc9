/**
 * A view as the frames of WatchAgents: opened, then changes and a bookmark whenever the reader has caught up,
 * proof of life in between. The reader's only state is a revision; what it cannot take in time is coalesced.
 */
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
}

/** Soft limit of one frame; with one more row of at most 64 KiB it stays below the wire's 512 KiB. */
const MAX_CHUNK_BYTES = 256 * 1024;
const HEARD_INTERVAL_MS = 2_000;
/** Changes that come closer together than this travel in one frame. */
const FLUSH_INTERVAL_MS = 20;

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
  const resumed = resumeFrom !== null && view.log.reaches(resumeFrom);
  const visible = (record: HostAgentRecord | AgentRecord): boolean =>
    scope.sees(record) && (!scope.hereOnly || ownerOf(record) === view.hereId);

  const send = async (frame: WatchAgentsResponse): Promise<void> => {
    if (!sink.write(frame)) await sink.drained(signal);
  };

  await send({ opened: { cell: scope.cell, resumed, caller: scope.caller } });
  // Links are told anew on every opening: a reader that was away judged them by itself meanwhile.
  const told = new ToldHostAgents(view);
  let links = newChanges();
  let linkBytes = 0;
  for (const record of [...view.hostAgents()]) {
    if (!visible(record)) continue;
    linkBytes += told.tell(record, links);
    if (linkBytes < MAX_CHUNK_BYTES) continue;
    await send({ changes: links });
    links = newChanges();
    linkBytes = 0;
  }
  if (links.hostAgents.length > 0) await send({ changes: links });

  let cursor = resumed ? resumeFrom : 0n;
  let bookmarked = false;
  let lastHeardMono = clock.monotonicMs();
  while (!signal.aborted) {
    if (!view.log.reaches(cursor)) {
      // Too old: this reader lagged behind everything that is remembered of removals.
      cursor = 0n;
      bookmarked = false;
      told.forgetAll();
      await send({ opened: { cell: scope.cell, resumed: false, caller: scope.caller } });
    }
    const { changes, revision, more } = nextChanges(view, cursor, visible, request.hostsOnly, told);
    cursor = revision;
    if (changes) await send({ changes });
    if (more) {
      await yieldToLoop();
      continue;
    }
    if (changes || !bookmarked) {
      bookmarked = true;
      const resumeToken = view.resumeTokens.seal(cursor, scope.scope);
      await send({ bookmark: { resumeToken, upstream: scope.upstream() } });
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
  hostsOnly: boolean,
  told: ToldHostAgents,
): { changes: Changes | null; revision: bigint; more: boolean } => {
  const changes = newChanges();
  let revision = cursor;
  let bytes = 0;
  let any = false;
  for (const change of view.log.since(cursor)) {
    if (bytes >= MAX_CHUNK_BYTES) return { changes, revision, more: true };
    revision = change.revision;
    const record = change.value;
    if (!visible(record) || (hostsOnly && record.kind === 'agent')) continue;
    const present = change.removed ? view.present(record) : undefined;
    if (present !== undefined && visible(present)) continue;
    if (record.kind === 'host-agent') {
      if (change.removed) bytes += told.forget(record.id, changes);
      else bytes += told.tell(record, changes);
    } else {
      const { hostAgent, key, row } = record;
      const owner = view.hostAgent(hostAgent);
      if (!change.removed && owner && !told.knows(hostAgent)) bytes += told.tell(owner, changes);
      if (change.removed) changes.removedAgents.push({ hostAgent, key });
      else changes.agents.push({ hostAgent, key, row });
      bytes += (change.removed ? 0 : row.length) + key.length + 64;
    }
    any = true;
  }
  return { changes: any ? changes : null, revision, more: false };
};

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
