/**
 * One message: pasted, waited for until it is seen to stand there, submitted, and judged by the screen what became of it.
 * Enter a second time only where the first was provably swallowed.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { Message } from './message-text.ts';
import { OrderEnd } from './order-end.ts';
import type { OrderRun } from './order-run.ts';
import type { PaneApproach } from './pane-approach.ts';
import { isBlocked, isWorking, type Look, type Standing, TypedText } from './screen-evidence.ts';

export interface SubmissionOptions {
  at: PaneApproach;
  run: OrderRun;
  clock: Clock;
  runtime: string;
  /** The screen right before the paste. */
  before: Look;
  isLineMode: boolean;
}

/** The first looks come fast, since most programs do; then every 400 ms. */
const PAUSES_MS = [30, 50, 80, 120, 200];
const POLL_MS = 400;
/** Codex takes an Enter within 120 ms of a paste for a line end (byobu#115). */
const SETTLE_MS = 200;
/** Unverified: for so long the text is waited for before it is submitted all the same. */
const ECHO_UNVERIFIED_MS = 1_500;
/** An Enter that did nothing for so long was swallowed, if the program rests and the text stands as it stood. */
const SWALLOWED_MS = 1_500;

export class Submission {
  readonly #o: SubmissionOptions & { text: TypedText };

  private constructor(options: SubmissionOptions, text: TypedText) {
    this.#o = { ...options, text };
  }

  /** Pastes the message, which is to be submitted then. Rejects as the paste does, with nothing to submit. */
  static async paste({ text, isCommand }: Message, options: SubmissionOptions): Promise<Submission> {
    await options.at.paste(text, !isCommand, options.run.signal);
    return new Submission(options, new TypedText(text));
  }

  /** `accepted` and `queued-by-agent` are proven; everything else is not. */
  async prove(): Promise<OrderEnd> {
    const echo = await this.#whenSeen(Number.POSITIVE_INFINITY);
    if (echo !== 'ours') return this.#notSubmitted(echo);
    const submitted = await this.#enter();
    if (submitted !== null) return submitted;
    return this.#whenTaken();
  }

  /** As asked: submitted when it is seen, or after a while; never under a prompt, and never what somebody else typed. */
  async submitUnproven(): Promise<OrderEnd> {
    const echo = await this.#whenSeen(ECHO_UNVERIFIED_MS);
    if (echo === 'blocked' || echo === 'mixed' || echo === 'other') return this.#notSubmitted(echo);
    return (await this.#enter()) ?? new OrderEnd('unverifiable', 'typed and submitted; not verified, as asked');
  }

  /** Until the text stands there alone and goes on to, or for `forMs`. */
  async #whenSeen(forMs: number): Promise<Standing | 'blocked'> {
    const { clock, text, before } = this.#o;
    const untilMono = Math.min(clock.monotonicMs() + forMs, this.#o.run.deadlineMono);
    let standing: Standing | 'blocked' = 'unseen';
    for (let look = 0; ; look += 1) {
      const screen = await this.#look();
      if (screen !== null) standing = isBlocked(screen) ? 'blocked' : text.standing(screen, before);
      if (standing === 'ours') {
        await sleep(SETTLE_MS, this.#o.run.signal);
        const again = await this.#look();
        if (again !== null && !isBlocked(again) && text.standing(again, before) === 'ours') return 'ours';
      }
      if (clock.monotonicMs() >= untilMono || this.#o.run.signal.aborted) return standing;
      await sleep(PAUSES_MS[look] ?? POLL_MS, this.#o.run.signal);
    }
  }

  #notSubmitted(standing: Standing | 'blocked'): OrderEnd {
    if (standing === 'ours') return new OrderEnd('draft', 'the time was over before it was submitted');
    if (standing === 'mixed') return new OrderEnd('draft', 'other text stands beside it, so it was not submitted');
    return new OrderEnd(
      'unverifiable',
      `pasted, and not submitted: ${NOT_SEEN[standing] ?? 'it was not seen to stand there'}`,
    );
  }

  /** null: pressed. What keeps the key away now comes after the text, so it is no refusal any more. */
  async #enter(): Promise<OrderEnd | null> {
    const { at, run } = this.#o;
    try {
      await at.press('Enter', run.signal);
    } catch (error) {
      const why = error instanceof OrderEnd ? error.reason : (error as Error).message;
      if (!(error instanceof OrderEnd) && !(error instanceof FleetError)) throw error;
      const isLeft = error instanceof OrderEnd && ['gone', 'not-a-runtime'].includes(error.outcome);
      return new OrderEnd(isLeft ? 'unverifiable' : 'draft', `pasted, and not submitted: ${why}`);
    }
    await run.submitted();
    return null;
  }

  async #whenTaken(): Promise<OrderEnd> {
    const { clock, text, before, run, isLineMode, at } = this.#o;
    let enteredMono = clock.monotonicMs();
    let mayPressAgain = !isLineMode;
    let held: Look | null = null;
    let wasEmpty = false;
    let standing: Standing = 'unseen';
    for (let look = 0; ; look += 1) {
      await sleep(PAUSES_MS[look] ?? POLL_MS, run.signal);
      const screen = await this.#look();
      if (screen !== null) {
        standing = text.standing(screen, before);
        if (this.#isTaken(screen, standing, wasEmpty)) return this.#taken(screen);
        wasEmpty = standing === 'empty' && !isBlocked(screen);
        const isStill = standing === 'ours' && !isBlocked(screen) && held !== null && isSame(held, screen);
        held = screen;
        if (isStill && mayPressAgain && clock.monotonicMs() - enteredMono >= SWALLOWED_MS && at.isResting()) {
          mayPressAgain = false;
          const failed = await this.#enter();
          if (failed !== null) return failed;
          enteredMono = clock.monotonicMs();
        }
      }
      if (run.signal.aborted || clock.monotonicMs() >= run.deadlineMono) return this.#unproven(standing);
    }
  }

  /** The text left the place where it stood; a screen that is just being drawn may look so for a moment. */
  #isTaken(now: Look, standing: Standing, wasEmpty: boolean): boolean {
    const { text, before } = this.#o;
    const more = text.copies(now) - text.copies(before);
    if (now.reading?.composer) {
      if (standing !== 'empty') return false;
      return wasEmpty || more > 0 || (isWorking(now) && !isWorking(before));
    }
    // A prompt took the composer's place, and our text is shown above it.
    if (isBlocked(now)) return more > 0;
    // The same prompt stands again below our text, or the program said our text in its turn.
    if (standing === 'empty') return wasEmpty && more > 0;
    return standing !== 'ours' && more >= 2;
  }

  #taken(screen: Look): OrderEnd {
    try {
      this.#o.at.runtime();
    } catch (error) {
      if (!(error instanceof OrderEnd)) throw error;
      return new OrderEnd('unverifiable', `typed, but then: ${error.reason}`);
    }
    if (isBlocked(screen)) return new OrderEnd('accepted', 'and now it waits for a person');
    const isQueued = isWorking(this.#o.before) && isWorking(screen);
    return new OrderEnd(isQueued ? 'queued-by-agent' : 'accepted');
  }

  #unproven(standing: Standing): OrderEnd {
    if (this.#o.isLineMode) {
      return new OrderEnd('unverifiable', 'its terminal took the line, but nothing shows that the agent read it');
    }
    if (standing === 'ours') return new OrderEnd('draft', 'Enter did not submit it');
    if (standing === 'mixed') return new OrderEnd('draft', 'other text stands beside it');
    return new OrderEnd('unverifiable', 'submitted, but the screen does not show that it was taken');
  }

  /** null: it could not be read this time. Throws OrderEnd when the pane is gone. */
  async #look(): Promise<Look | null> {
    const { at, runtime, run } = this.#o;
    try {
      return await at.screen(runtime, run.signal);
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      if (error.code === 'NOT_FOUND') throw new OrderEnd('unverifiable', 'typed, but then its pane ended');
      return null;
    }
  }
}

const NOT_SEEN: Partial<Record<Standing | 'blocked', string>> = {
  blocked: 'a prompt came up',
  other: 'other text stands in its place',
};

const isSame = (a: Look, b: Look): boolean =>
  a.picture.cursorX === b.picture.cursorX &&
  a.picture.cursorY === b.picture.cursorY &&
  a.reading?.composer?.text === b.reading?.composer?.text;
