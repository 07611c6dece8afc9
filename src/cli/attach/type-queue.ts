/**
 * Strokes on their way to the host: one batch under way at a time, numbered; what is typed meanwhile goes with the next.
 * A batch whose answer was lost is sent again under its number, and is typed once all the same.
 */
import { FleetError } from '../../domain/errors.ts';
import { bytesOfStrokes, type KeyStroke, MAX_STROKES, MAX_TEXT_BYTES } from '../../domain/key-stroke.ts';
import { sleep } from '../../runtime/sleep.ts';

export interface TypeQueueOptions {
  /** Resolves when the batch was typed. */
  send: (sequence: bigint, strokes: KeyStroke[]) => Promise<unknown>;
  /** There is room again after `isFull`. */
  onRoom: () => void;
  /** Aborts when nothing more may be typed. */
  signal: AbortSignal;
}

/** Beyond it whoever types must wait: a line that hangs must not gather a novel. */
const FULL_BYTES = 1024 * 1024;
const FULL_STROKES = 4 * MAX_STROKES;
const ATTEMPTS = 3;
const RETRY_MS = 200;
/** A paste goes alone: with it a batch could be larger than a host takes. */
const MAX_BATCH_BYTES = 16 * 1024;

export class TypeQueue {
  readonly #options: TypeQueueOptions;
  readonly #waiting: KeyStroke[] = [];
  readonly #failed = Promise.withResolvers<never>();
  #bytes = 0;
  #sequence = 0n;
  #running: Promise<void> | null = null;

  constructor(options: TypeQueueOptions) {
    this.#options = options;
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects when a batch could not be typed: from then on nothing is. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Read no more of the keyboard until `onRoom`. */
  get isFull(): boolean {
    return this.#bytes >= FULL_BYTES || this.#waiting.length >= FULL_STROKES;
  }

  push(strokes: readonly KeyStroke[]): void {
    for (const stroke of strokes) this.#add(stroke);
    if (this.#waiting.length > 0) this.#running ??= this.#run();
  }

  /** Resolves when all has been typed, or nothing more will be. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #add(stroke: KeyStroke): void {
    const last = this.#waiting.at(-1);
    this.#bytes += bytesOfStrokes([stroke]);
    if ('text' in stroke && last && 'text' in last && bytesOfStrokes([last, stroke]) <= MAX_TEXT_BYTES) {
      last.text += stroke.text;
    } else this.#waiting.push({ ...stroke });
  }

  async #run(): Promise<void> {
    const { signal, onRoom } = this.#options;
    // What comes in the same moment goes in the same batch.
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0 && !signal.aborted) {
        const wasFull = this.isFull;
        const batch = this.#take();
        this.#sequence += 1n;
        await this.#send(this.#sequence, batch);
        if (wasFull && !this.isFull) onRoom();
      }
    } catch (error) {
      this.#failed.reject(error);
      return;
    }
    this.#running = null;
  }

  #take(): KeyStroke[] {
    const batch: KeyStroke[] = [];
    let bytes = 0;
    for (const stroke of this.#waiting) {
      const more = bytesOfStrokes([stroke]);
      if (batch.length >= MAX_STROKES || (batch.length > 0 && bytes + more > MAX_BATCH_BYTES)) break;
      batch.push(stroke);
      bytes += more;
    }
    this.#waiting.splice(0, batch.length);
    this.#bytes -= bytes;
    return batch;
  }

  async #send(sequence: bigint, batch: KeyStroke[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#options.send(sequence, batch);
        return;
      } catch (error) {
        const isLost = error instanceof FleetError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code);
        if (!isLost || attempt >= ATTEMPTS || this.#options.signal.aborted) throw error;
        await sleep(RETRY_MS, this.#options.signal);
      }
    }
  }
}
