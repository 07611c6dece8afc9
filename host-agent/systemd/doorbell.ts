import { basename, dirname } from 'node:path';
import { FolderWatch } from '../../src/runtime/folder-watch.ts';
import { sleep } from '../../src/runtime/sleep.ts';

/** Waits for a time, or until something happens to a socket's file: whoever comes back there is met at once. */
export class Doorbell {
  readonly #signal: AbortSignal;
  readonly #watch: FolderWatch;
  #ring = new AbortController();

  constructor(socketPath: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#watch = new FolderWatch(dirname(socketPath), (names) => {
      if (names === null || names.has(basename(socketPath))) this.#ring.abort();
    });
    this.#watch.start(signal);
  }

  /** True if it rang, also since the last wait. */
  async wait(ms: number): Promise<boolean> {
    // A file system mounted over the folder tells nobody.
    this.#watch.rearm();
    const ring = this.#ring.signal;
    await sleep(ms, AbortSignal.any([this.#signal, ring]));
    if (ring.aborted) this.#ring = new AbortController();
    return ring.aborted;
  }
}
