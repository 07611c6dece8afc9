/** Shows in the view which host-agents are behind: an intent waits there, or ended before it was carried out. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { FleetView, HeldBehind } from '../../src/view/fleet-view.ts';
import type { IntentRecord, Records } from '../store/records.ts';

export interface BehindMarksOptions {
  records: Records;
  view: FleetView;
  clock: Clock;
  isRunning(hostAgent: string): boolean;
}

export class BehindMarks {
  readonly #options: BehindMarksOptions;
  readonly #watches: Disposable[] = [];

  constructor(options: BehindMarksOptions) {
    this.#options = options;
  }

  /** From now on as what is stored changes. */
  follow(): void {
    const { store, intents, appliedRosters } = this.#options.records;
    for (const prefix of [intents.keyOf(''), appliedRosters.keyOf('')]) {
      const watch = store.watch(prefix, (changes) => {
        for (const { key } of changes) this.mark(key.slice(prefix.length));
      });
      this.#watches.push(watch);
    }
    for (const [hostAgent] of intents.entries()) this.mark(hostAgent);
  }

  stop(): void {
    for (const watch of this.#watches.splice(0)) watch[Symbol.dispose]();
  }

  mark(hostAgent: string): void {
    const { records, view } = this.#options;
    const intent = records.intents.get(hostAgent);
    view.setBehind(hostAgent, intent === undefined ? null : this.#behind(hostAgent, intent));
  }

  #behind(hostAgent: string, { state, reason, givenMs, expiresMs, endedMs }: IntentRecord): HeldBehind | null {
    const { clock, records, isRunning } = this.#options;
    if (state === 'done' || state === 'withdrawn') return null;
    const isWaiting = state === 'waiting';
    // What was applied after its end has made up for it.
    const applied = records.appliedRosters.get(hostAgent);
    if (!isWaiting && applied !== undefined && applied.atMs > endedMs) return null;
    const atMono = (atMs: number): number => clock.monotonicMs() + atMs - clock.nowMs();
    return {
      state: isWaiting && isRunning(hostAgent) ? 'running' : state,
      reason,
      givenAtMono: atMono(givenMs),
      expiresAtMono: isWaiting ? atMono(expiresMs) : null,
    };
  }
}
