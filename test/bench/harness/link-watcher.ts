/** Follows a FleetService and notes, for each host-agent, every link state that it was ever shown in. */
import type { Endpoint } from '../../../src/cli/client/grpc-channel.ts';
import { LiveView } from '../../../src/cli/client/live-view.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

export class LinkWatcher implements AsyncDisposable {
  /** Host-agent to the states that it was shown in since the last `forget`. */
  readonly shown = new Map<string, Set<string>>();
  readonly #live: LiveView;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(endpoint: Endpoint) {
    this.#live = new LiveView({ endpoint, localOnly: false, hostsOnly: true, clock: systemClock });
    this.#live.onChange(() => this.#note());
    this.#running = this.#live.run(this.#stopping.signal);
    this.#running.catch(() => undefined);
  }

  get isLive(): boolean {
    return this.#live.connection.state === 'live' && this.#live.mirror.isWhole;
  }

  countIn(state: string): number {
    return [...this.#states()].filter(([, shown]) => shown === state).length;
  }

  everIn(state: string): number {
    return [...this.shown.values()].filter((states) => states.has(state)).length;
  }

  forget(): void {
    this.shown.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running.catch(() => undefined);
  }

  #note(): void {
    // What a broken stream leaves behind is this watcher's own guess, not something that it was shown.
    if (!this.isLive) return;
    for (const [id, state] of this.#states()) {
      const states = this.shown.get(id);
      if (states) states.add(state);
      else this.shown.set(id, new Set([state]));
    }
  }

  *#states(): Generator<[string, string]> {
    const now = systemClock.monotonicMs();
    for (const id of this.#live.mirror.hostAgentIds()) {
      const moment = this.#live.mirror.momentOf(id, now);
      if (moment) yield [id, moment.host.link.state];
    }
  }
}
