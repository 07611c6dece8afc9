import type { Logger } from './logger.ts';

interface Part {
  name: string;
  stop: () => Promise<void> | void;
  deadlineMs: number;
}

/** Stops parts in reverse order of their adding, each in its own try and within its own deadline. */
export class Shutdown {
  readonly #parts: Part[] = [];
  readonly #log: Logger;
  #stopping: Promise<void> | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(name: string, stop: () => Promise<void> | void, deadlineMs = 2_000): void {
    this.#parts.push({ name, stop, deadlineMs });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const part of this.#parts.reverse()) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not stopped within ${part.deadlineMs} ms`)), part.deadlineMs);
      });
      try {
        await Promise.race([Promise.resolve(part.stop()), late]);
      } catch (error) {
        this.#log.warn({ part: part.name, err: error }, 'part did not stop cleanly');
      } finally {
        clearTimeout(timer);
      }
    }
  }
}

/** Aborts on the first SIGTERM, SIGINT or SIGHUP; a second one exits at once. */
export const stopSignal = (): AbortSignal => {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(name);
    });
  }
  return controller.signal;
};
