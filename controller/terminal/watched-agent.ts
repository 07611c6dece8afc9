/**
 * One agent's screen as the cell sees it: one watch at its host however many watch here, its picture kept while the line is
 * down. Nothing is held for a watcher but its cursor.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { ScreenLog } from '../../src/screen/screen-log.ts';
import type { WatchedScreen } from '../../src/screen/stream-screen.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { TerminalEnd, TerminalStatus, WatchTerminalResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { HostCalls } from '../uplink/host-calls.ts';
import { BrokenCall, UnseenByPeer } from '../uplink/tunnel.ts';
import type { Tunnels } from '../uplink/tunnels.ts';
import { HostWatch } from './host-watch.ts';
import { boundedEnd, boundedStatus, toldStatus } from './told-status.ts';

/** One who watches. `drop` ends the watching with an error. */
export interface Watcher {
  caller: OnBehalfOf;
  minIntervalMs: number;
  /** Whether its tenant still has the agent. */
  sees(record: HostAgentRecord): boolean;
  drop(error: FleetError): void;
}

export interface WatchedAgentContext {
  view: FleetView;
  calls: Pick<HostCalls, 'stream'>;
  tunnels: Pick<Tunnels, 'onChange'>;
  clock: Clock;
}

const MAX_WATCHERS = 1_000;
/** A host-agent that has just begun may be asked before it has looked at its tmux servers, a peer before it heard its hosts. */
const FIRST_LOOK_MS = 10_000;
/** The host's own word that it will not show this screen. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'NOT_FOUND',
  'PERMISSION_DENIED',
  'INVALID_ARGUMENT',
  'UNIMPLEMENTED',
  'FAILED_PRECONDITION',
]);

export class WatchedAgent implements WatchedScreen {
  readonly log = new ScreenLog();
  readonly #hostAgent: string;
  readonly #context: WatchedAgentContext;
  readonly #host: HostWatch;
  readonly #watchers = new Set<Watcher>();
  readonly #changed = new Listeners();
  readonly #audienceChanged = new Listeners();
  #links: Disposable | null = null;
  #linkState = '';
  #told: TerminalStatus | null = null;
  #provenMono: number;
  /** Since when the host shows nothing, or null while it does. */
  #brokenSinceMono: number | null = null;
  /** Since when the host, asked through a line that stands, knows no such agent. */
  #missingSinceMono: number | null = null;
  #ended: TerminalEnd | null = null;
  #isRefused = false;

  constructor(hostAgent: string, key: string, context: WatchedAgentContext) {
    this.#hostAgent = hostAgent;
    this.#context = context;
    this.#provenMono = context.clock.monotonicMs();
    this.#host = new HostWatch({
      ...context,
      hostAgent,
      key,
      watchers: { names: () => this.#names(), onChange: (told) => this.#audienceChanged.add(told) },
      wish: () => {
        const watchers = [...this.#watchers];
        const minIntervalMs = Math.min(...watchers.map((watcher) => watcher.minIntervalMs));
        // One of our own where there is one: a peer has only its share of the host's calls.
        const first = watchers.find(({ caller }) => !caller.federated) ?? (watchers[0] as Watcher);
        return { caller: first.caller, minIntervalMs };
      },
      take: (message) => this.#take(message),
      broke: (error, caller) => this.#broke(error, caller),
    });
  }

  get ended(): TerminalEnd | null {
    return this.#ended;
  }

  /** Nobody watches, or there is nothing more to come: a newcomer needs another one. */
  get isOver(): boolean {
    return this.#watchers.size === 0 || this.#ended !== null || this.#isRefused;
  }

  /** Until it is disposed. UNAVAILABLE when the host is lost and nothing is held of its screen. */
  join(watcher: Watcher): Disposable {
    if (this.#watchers.size >= MAX_WATCHERS) {
      throw new FleetError('RESOURCE_EXHAUSTED', `${MAX_WATCHERS} watch this agent already`);
    }
    this.#requireHope();
    this.#watchers.add(watcher);
    if (this.#links === null) {
      this.#links = this.#context.view.log.onChange(() => this.#lookAtLink());
      this.#host.start();
    } else this.#host.hurry();
    this.#audienceChanged.emit();
    return { [Symbol.dispose]: () => this.#leave(watcher) };
  }

  status(): TerminalStatus {
    return toldStatus({
      record: this.#context.view.hostAgent(this.#hostAgent),
      view: this.#context.view,
      told: this.#told,
      names: this.#names(),
      provenMono: this.#provenMono,
      brokenSinceMono: this.#brokenSinceMono,
      nowMono: this.#context.clock.monotonicMs(),
    });
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  #names(): string[] {
    return [...new Set([...this.#watchers].map(({ caller }) => caller.name))].sort();
  }

  #leave(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return;
    if (this.#watchers.size > 0) this.#audienceChanged.emit();
    else this.#stop();
  }

  #stop(): void {
    this.#links?.[Symbol.dispose]();
    this.#links = null;
    this.#host.stop();
  }

  #take({ frame, status, end }: WatchTerminalResponse): void {
    const now = this.#context.clock.monotonicMs();
    this.#brokenSinceMono = null;
    this.#missingSinceMono = null;
    if (frame) {
      this.log.apply(frame);
      this.#provenMono = now;
    }
    if (status) {
      this.#told = boundedStatus(status);
      this.#provenMono = now - status.silentMs;
    }
    if (end) this.#end(boundedEnd(end));
    this.#changed.emit();
  }

  /** Whether it is worth asking again. */
  #broke(error: FleetError, asked: OnBehalfOf): boolean {
    const now = this.#context.clock.monotonicMs();
    this.#brokenSinceMono ??= now;
    const isUnseen = error instanceof UnseenByPeer;
    this.#missingSinceMono = error.code === 'NOT_FOUND' || isUnseen ? (this.#missingSinceMono ?? now) : null;
    const isSeen = this.log.picture !== null;
    if (this.#missingSinceMono !== null && isSeen) {
      if (now - this.#missingSinceMono < FIRST_LOOK_MS) return true;
      if (isUnseen) return this.#refuse(error);
      this.#end({ reason: 'agent_removed', detail: error.message, lastExit: undefined });
      return false;
    }
    const isLineDown = this.#linkWord() === 'resuming' || this.#linkWord() === 'unconfirmed';
    const isHopeful = !FINAL_CODES.has(error.code) && (isSeen || isLineDown || error instanceof BrokenCall);
    if (!isHopeful && !(asked.federated && this.#dropPeers(error))) return this.#refuse(error);
    this.#changed.emit();
    return true;
  }

  /** Nobody can be shown this screen any more. */
  #refuse(error: FleetError): false {
    this.#dropAll(error);
    this.#changed.emit();
    return false;
  }

  #end(end: TerminalEnd): void {
    this.#ended = end;
    this.#stop();
    this.#changed.emit();
  }

  #dropAll(error: FleetError): void {
    this.#isRefused = true;
    for (const watcher of [...this.#watchers]) watcher.drop(error);
  }

  /** A peer was refused, and nobody else yet. False: there are only peers. */
  #dropPeers(error: FleetError): boolean {
    const watchers = [...this.#watchers];
    if (watchers.every(({ caller }) => caller.federated)) return false;
    for (const watcher of watchers) if (watcher.caller.federated) watcher.drop(error);
    return true;
  }

  #linkWord(): string | undefined {
    return this.#context.view.hostAgent(this.#hostAgent)?.linkState;
  }

  #requireHope(): void {
    const record = this.#context.view.hostAgent(this.#hostAgent);
    if (record?.linkState !== 'lost' || this.log.picture !== null) return;
    const { id, host, linkReason } = record;
    throw new FleetError('UNAVAILABLE', `${id} is lost (${linkReason ?? 'silent'}): fleet doctor ${host}`);
  }

  #lookAtLink(): void {
    const record = this.#context.view.hostAgent(this.#hostAgent);
    if (record === undefined) {
      this.#end({ reason: 'agent_removed', detail: 'its host was removed from this cell', lastExit: undefined });
      return;
    }
    for (const watcher of [...this.#watchers]) {
      if (!watcher.sees(record)) watcher.drop(new FleetError('NOT_FOUND', 'no such agent: see "fleet ps"'));
    }
    if (record.linkState === this.#linkState) return;
    this.#linkState = record.linkState;
    try {
      this.#requireHope();
    } catch (error) {
      this.#dropAll(error as FleetError);
    }
    this.#changed.emit();
  }
}
