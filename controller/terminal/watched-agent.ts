/**
 * One agent's screen as the cell sees it: one call to its host however many watch, its picture kept while the line is
 * down, asked for again when the host is back. Nothing is held for a watcher but its cursor.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { ScreenLog } from '../../src/screen/screen-log.ts';
import type { WatchedScreen } from '../../src/screen/stream-screen.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { TerminalEnd, TerminalStatus, WatchTerminalResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { Link } from '../../src/wire/gen/fleet/v1/types.ts';
import type { HostCalls } from '../uplink/host-calls.ts';
import { BrokenCall } from '../uplink/tunnel.ts';

/** One who watches. `drop` ends the watching with an error. */
export interface Watcher {
  caller: OnBehalfOf;
  minIntervalMs: number;
  /** Whether its tenant still has the agent. */
  sees(tenantId: string): boolean;
  drop(error: FleetError): void;
}

export interface WatchedAgentContext {
  view: FleetView;
  calls: Pick<HostCalls, 'stream' | 'onChange'>;
  clock: Clock;
}

const RETRY_MS = 1_000;
const MAX_WATCHERS = 1_000;

export class WatchedAgent implements WatchedScreen {
  readonly log = new ScreenLog();
  readonly hostAgent: string;
  readonly key: string;
  readonly #context: WatchedAgentContext;
  readonly #watchers = new Set<Watcher>();
  readonly #changed = new Listeners();
  readonly #audienceChanged = new Listeners();
  #following: DisposableStack | null = null;
  #attempt: AbortController | null = null;
  #askedIntervalMs = 0;
  #retry: NodeJS.Timeout | undefined;
  #told: TerminalStatus | null = null;
  #provenMono: number;
  #brokenSinceMono: number | null = null;
  #linkState = '';
  #ended: TerminalEnd | null = null;
  #isRefused = false;

  constructor(hostAgent: string, key: string, context: WatchedAgentContext) {
    this.hostAgent = hostAgent;
    this.key = key;
    this.#context = context;
    this.#provenMono = context.clock.monotonicMs();
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
    if (this.#following === null) this.#follow();
    else if (watcher.minIntervalMs < this.#askedIntervalMs) this.#ask();
    this.#audienceChanged.emit();
    return { [Symbol.dispose]: () => this.#leave(watcher) };
  }

  status(): TerminalStatus {
    const { view, clock } = this.#context;
    const now = clock.monotonicMs();
    const record = view.hostAgent(this.hostAgent);
    const watchers = this.#brokenSinceMono === null ? (this.#told?.watchers ?? this.#names()) : this.#names();
    return {
      source: this.#told?.source ?? '',
      polledBecause: this.#told?.polledBecause ?? '',
      watchers: [...watchers],
      writer: this.#told?.writer ?? '',
      link: record && this.#link(record, now),
      silentMs: Math.max(0, now - this.#provenMono),
      paneDead: this.#told?.paneDead ?? false,
    };
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  /** A line that stands again is resuming until the host has shown something through it. */
  #link(record: HostAgentRecord, now: number): Link {
    const { state, reason, ageMs } = this.#context.view.say(record).link;
    if (state !== 'connected' || this.#brokenSinceMono === null) return { state, reason: reason ?? undefined, ageMs };
    return { state: 'resuming', reason: 'stream_closed', ageMs: now - this.#brokenSinceMono };
  }

  #names(): string[] {
    return [...new Set([...this.#watchers].map(({ caller }) => caller.name))].sort();
  }

  #leave(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return;
    if (this.#watchers.size > 0) this.#audienceChanged.emit();
    else this.#stop();
  }

  #follow(): void {
    const { view, calls } = this.#context;
    this.#following = new DisposableStack();
    this.#following.use(view.log.onChange(() => this.#lookAtLink()));
    this.#following.use(
      calls.onChange((id) => {
        if (id === this.hostAgent && this.#attempt === null) this.#ask();
      }),
    );
    this.#ask();
  }

  /** The host is told at once: whoever stays would be shown as a watcher. */
  #stop(): void {
    this.#following?.dispose();
    this.#following = null;
    clearTimeout(this.#retry);
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.abort();
  }

  /** A new call before the one it replaces is given up, so that the host goes on in one. */
  #ask(): void {
    const [first] = this.#watchers;
    if (first === undefined || this.#ended !== null) return;
    clearTimeout(this.#retry);
    const attempt = new AbortController();
    const before = this.#attempt;
    this.#attempt = attempt;
    this.#askedIntervalMs = Math.min(...[...this.#watchers].map(({ minIntervalMs }) => minIntervalMs));
    const { hostAgent, key } = this;
    const request = { hostAgent, key, minIntervalMs: this.#askedIntervalMs };
    const options = {
      caller: first.caller,
      signal: attempt.signal,
      deadlineMs: 0,
      watchers: { names: () => this.#names(), onChange: (told: () => void) => this.#audienceChanged.add(told) },
    };
    this.#context.calls
      .stream(hostAgent, 'watchTerminal', request, options, (message, bytes, taken) => {
        taken(bytes);
        if (attempt === this.#attempt) this.#take(message);
      })
      .then(
        () => this.#over(attempt, new FleetError('UNAVAILABLE', `${hostAgent} stopped showing this screen`)),
        (error: unknown) => this.#over(attempt, error),
      );
    before?.abort();
  }

  #take({ frame, status, end }: WatchTerminalResponse): void {
    const now = this.#context.clock.monotonicMs();
    this.#brokenSinceMono = null;
    if (frame) {
      this.log.apply(frame);
      this.#provenMono = now;
    }
    if (status) {
      this.#told = status;
      this.#provenMono = now - status.silentMs;
    }
    if (end) this.#end(end);
    this.#changed.emit();
  }

  #end(end: TerminalEnd): void {
    this.#ended = end;
    this.#stop();
    this.#changed.emit();
  }

  #over(attempt: AbortController, error: unknown): void {
    if (attempt !== this.#attempt) return;
    this.#attempt = null;
    this.#brokenSinceMono ??= this.#context.clock.monotonicMs();
    const failure =
      error instanceof FleetError ? error : new FleetError('INTERNAL', 'watching failed', { cause: error });
    const isSeen = this.log.picture !== null;
    if (failure.code === 'NOT_FOUND' && isSeen) {
      this.#end({ reason: 'agent_removed', detail: failure.message, lastExit: undefined });
      return;
    }
    const isHopeless =
      FINAL_CODES.has(failure.code) || !(isSeen || this.#isExpected() || failure instanceof BrokenCall);
    if (isHopeless) this.#dropAll(failure);
    else this.#retry = setTimeout(() => this.#ask(), RETRY_MS);
    this.#changed.emit();
  }

  #dropAll(error: FleetError): void {
    this.#isRefused = true;
    for (const watcher of [...this.#watchers]) watcher.drop(error);
  }

  /** Its line is down, and it may well be back in a moment. */
  #isExpected(): boolean {
    const state = this.#context.view.hostAgent(this.hostAgent)?.linkState;
    return state === 'resuming' || state === 'unconfirmed';
  }

  #requireHope(): void {
    const record = this.#context.view.hostAgent(this.hostAgent);
    if (record?.linkState !== 'lost' || this.log.picture !== null) return;
    throw new FleetError(
      'UNAVAILABLE',
      `${this.hostAgent} is lost (${record.linkReason ?? 'silent'}): fleet doctor there`,
    );
  }

  #lookAtLink(): void {
    const record = this.#context.view.hostAgent(this.hostAgent);
    if (record === undefined) {
      this.#end({ reason: 'agent_removed', detail: 'its host was removed from this cell', lastExit: undefined });
      return;
    }
    for (const watcher of [...this.#watchers]) {
      if (!watcher.sees(record.tenantId)) watcher.drop(new FleetError('NOT_FOUND', 'no such agent: see "fleet ps"'));
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

/** The host's own word that it will not show this screen. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'NOT_FOUND',
  'PERMISSION_DENIED',
  'INVALID_ARGUMENT',
  'UNIMPLEMENTED',
  'FAILED_PRECONDITION',
]);
