/** One piece of work that never overlaps itself: asked for while it runs, it runs once more afterwards. */
export class Pump {
  readonly #work: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #running: Promise<void> | null = null;
  #again = false;

  /** `onError` hears what the work throws, and the pump goes on; without it that is a bug and ends the process. */
  constructor(
    work: () => Promise<void>,
    onError: (error: unknown) => void = (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  ) {
    this.#work = work;
    this.#onError = onError;
  }

  /** Resolves when a run that began after this call has ended; never rejects. */
  async request(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run();
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whoever asks within this turn of the loop is served by the same run.
    await Promise.resolve();
    while (this.#again) {
      this.#again = false;
      try {
        await this.#work();
      } catch (error) {
        this.#onError(error);
      }
    }
    this.#running = null;
  }
}
