/**
 * When intents are carried out: one at a time for each host-agent, once the host is there with its rows, and in their time.
 * What could not be given is tried again when the host is back, or after a while.
 */
import type { CarriedOut, CarryOutOptions } from './carry-out.ts';
import { IntentRun } from './carry-out.ts';
import { progress } from './intent-progress.ts';

export interface IntentRunsOptions extends CarryOutOptions {
  /** Hears of hosts that came, with their rows. */
  onReported(listener: (hostAgent: string) => void): Disposable;
  /** One of this host-agent began, or is no more under way. */
  onRunning(hostAgent: string): void;
}

/** Between attempts at a host that stays and takes nothing; doubled each time. */
const RETRY_MS = { first: 10_000, most: 60_000 } as const;

export class IntentRuns {
  readonly #options: IntentRunsOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #retries = new Map<string, { atMono: number; waitMs: number }>();
  readonly #stopping = new AbortController();
  #subscription: Disposable | null = null;

  constructor(options: IntentRunsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#subscription = this.#options.onReported((hostAgent) => this.lookAnew(hostAgent));
  }

  isRunning(hostAgent: string): boolean {
    return this.#running.has(hostAgent);
  }

  /** To be called about twice a second. */
  tick(): void {
    for (const [hostAgent] of [...this.#options.intents.allWaiting()]) this.#look(hostAgent);
  }

  /** The host came, or another intent did: no more waiting for a better moment. */
  lookAnew(hostAgent: string): void {
    this.#retries.delete(hostAgent);
    this.#look(hostAgent);
  }

  /** Begins what can be begun, ends what is too late. */
  #look(hostAgent: string): void {
    const { intents, expiries, isReported, clock } = this.#options;
    const intent = intents.waiting(hostAgent);
    if (intent === undefined || this.#running.has(hostAgent) || this.#stopping.signal.aborted) return;
    const isTooLate = expiries.isOver(hostAgent, intent);
    if (clock.monotonicMs() < (this.#retries.get(hostAgent)?.atMono ?? 0)) return;
    if (isTooLate) this.#run(hostAgent, intent.id, (run) => run.expire(progress(intent)));
    else if (isReported(hostAgent)) {
      this.#run(hostAgent, intent.id, (run) => run.carryOut());
      this.#options.onRunning(hostAgent);
    }
  }

  forget(hostAgent: string): void {
    this.#retries.delete(hostAgent);
  }

  /** What is under way stays where it is, to be gone on with by the next controller. */
  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  #run(hostAgent: string, id: string, work: (run: IntentRun) => Promise<CarriedOut>): void {
    const { log, onRunning } = this.#options;
    const run = new IntentRun(this.#options, hostAgent, id, this.#stopping.signal);
    const over = work(run)
      .then((end) => {
        if (end === 'later') this.#waitAWhile(hostAgent);
        else this.#retries.delete(hostAgent);
      })
      .catch((err: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#waitAWhile(hostAgent);
        log.error({ err, hostAgent, intent: id }, 'intent could not be carried out, and is tried again');
      })
      .finally(() => {
        this.#running.delete(hostAgent);
        onRunning(hostAgent);
        this.#look(hostAgent);
      });
    this.#running.set(
      hostAgent,
      over.then(() => undefined),
    );
  }

  #waitAWhile(hostAgent: string): void {
    const before = this.#retries.get(hostAgent)?.waitMs;
    const waitMs = before === undefined ? RETRY_MS.first : Math.min(2 * before, RETRY_MS.most);
    this.#retries.set(hostAgent, { atMono: this.#options.clock.monotonicMs() + waitMs, waitMs });
  }
}
