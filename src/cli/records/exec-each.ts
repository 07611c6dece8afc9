/**
 * A program run once for each record, which it gets as JSON on its stdin: so many at once, each for so long. What it prints
 * is prose of ours; whoever hands over records waits while all places are taken, and none is skipped.
 */
import { exec } from '../../runtime/exec.ts';

export interface ExecEachOptions {
  argv: readonly [string, ...string[]];
  /** Words for people: what a program printed, and why one failed. */
  tell: (text: string) => void;
  signal: AbortSignal;
  atOnce?: number;
  timeoutMs?: number;
}

const AT_ONCE = 4;
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 * 1024;

export class ExecEach {
  readonly #options: ExecEachOptions;
  readonly #running = new Set<Promise<void>>();
  #failures = 0;

  constructor(options: ExecEachOptions) {
    this.#options = options;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Resolves when its program has begun. */
  async give(record: string): Promise<void> {
    while (this.#running.size >= (this.#options.atOnce ?? AT_ONCE)) await Promise.race(this.#running);
    if (this.#options.signal.aborted) return;
    const run = this.#run(record).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** When all that were begun are over. */
  async over(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(record: string): Promise<void> {
    const { argv, tell, signal, timeoutMs = TIMEOUT_MS } = this.#options;
    const [file, ...args] = argv;
    const ended = await exec(file, args, {
      timeoutMs,
      input: `${record}\n`,
      signal,
      maxBufferBytes: MAX_OUTPUT_BYTES,
    });
    const said = ended.stdout + ended.stderr;
    if (said !== '') tell(said);
    if (ended.exitCode === 0 || signal.aborted) return;
    this.#failures += 1;
    const why =
      ended.spawnError ??
      (ended.timedOut ? `not over within ${timeoutMs / 1_000} s` : `exit ${ended.exitCode ?? 'by a signal'}`);
    tell(`fleet: ${file} failed (${why})\n`);
  }
}
