/**
 * An agent's lines from a stream that may break: each is told once, in order, and what is known to be missing is said.
 * Holds only as many of the last lines as it takes to go on after a break.
 */
import type { TailTerminalResponse } from '../../wire/gen/fleet/v1/terminal.ts';
import { newLines } from './overlap.ts';

export interface LineSink {
  lines(lines: readonly string[]): Promise<void>;
  /** Prose, once for each occasion. */
  notice(text: string): void;
}

/** After a break so many lines are asked for, to find the last one that was told. */
export const RESUME_LINES = 200;
/** A line is not longer than any screen is wide. */
const MAX_LINE_UNITS = 16_000;

export class FollowedLines {
  readonly #sink: LineSink;
  readonly #clean: (line: string) => string;
  readonly #tellsFirst: boolean;
  #held: string[] = [];
  #hasTold = false;
  #isResuming = false;
  #isFullScreen = false;
  #brokenBecause: string | null = null;

  /** Without `tellsFirst` the lines that are there already are known, and not told. */
  constructor(sink: LineSink, clean: (line: string) => string, tellsFirst: boolean) {
    this.#sink = sink;
    this.#clean = clean;
    this.#tellsFirst = tellsFirst;
  }

  get hasTold(): boolean {
    return this.#hasTold;
  }

  /** The stream broke; the next message is the first of another. */
  broken(reason: string): void {
    if (this.#brokenBecause === null) this.#sink.notice(`no data: ${reason}; trying again`);
    this.#brokenBecause = reason;
    this.#isResuming = this.#hasTold;
  }

  async take({ lines: raw, fullScreen, missed }: TailTerminalResponse): Promise<void> {
    if (fullScreen && !this.#isFullScreen) {
      this.#sink.notice('a full-screen program: this is its screen; there is no history');
    }
    this.#isFullScreen = fullScreen;
    if (this.#brokenBecause !== null) this.#sink.notice('data again');
    this.#brokenBecause = null;
    const lines = raw.map((line) => this.#clean(line.slice(0, MAX_LINE_UNITS)));
    const fresh = this.#isResuming ? newLines(this.#held, lines) : { lines, isWhole: true };
    this.#isResuming = false;
    const isTold = this.#hasTold || this.#tellsFirst;
    this.#hasTold = true;
    if (!fresh.isWhole) this.#sink.notice('lines are missing here: more came during the break than can be told');
    if (missed > 0) this.#sink.notice(`${missed} line${missed === 1 ? '' : 's'} missing here: they came too fast`);
    if (isTold) await this.#sink.lines(fresh.lines);
    this.#held = [...this.#held, ...fresh.lines].slice(-RESUME_LINES);
  }
}
