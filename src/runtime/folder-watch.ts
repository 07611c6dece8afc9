/**
 * Says which names of a folder were touched (inotify), also when the folder appears later or is replaced.
 * A hint only: the kernel drops events under load, so whoever uses it rescans slowly as well.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** The names touched; null when anything may have changed (the folder came, went or was replaced). */
export type TouchedNames = ReadonlySet<string> | null;

interface Armed {
  path: string;
  identity: string;
  watcher: FSWatcher;
}

const identityOf = (path: string): string | null => {
  try {
    const stat = statSync(path);
    return stat.isDirectory() ? `${stat.dev}:${stat.ino}` : null;
  } catch {
    return null;
  }
};

const MAX_NAMES = 1_024;

export class FolderWatch {
  readonly #folder: string;
  readonly #onTouched: (names: TouchedNames) => void;
  readonly #settleMs: number;
  #armed: Armed | null = null;
  #names: Set<string> | null = new Set();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  /** Touches within `settleMs` are told together. */
  constructor(folder: string, onTouched: (names: TouchedNames) => void, settleMs = 10) {
    this.#folder = folder;
    this.#onTouched = onTouched;
    this.#settleMs = settleMs;
  }

  start(signal: AbortSignal): void {
    signal.addEventListener('abort', () => this.stop(), { once: true });
    if (signal.aborted) this.stop();
    else this.rearm();
  }

  /** Follows the folder, or the nearest folder above it that exists. Cheap; call it at each rescan as well. */
  rearm(): void {
    // Bounded: each round sees a folder come or go between the look and the watch.
    for (let round = 0; round < 8 && !this.#stopped; round += 1) {
      const [path, identity] = this.#nearest();
      if (this.#armed?.path === path && this.#armed.identity === identity) return;
      const known = this.#armed !== null;
      this.#disarm();
      if (identity === null) return;
      try {
        const watcher = watch(path, { persistent: false }, (event, name) => this.#hear(path, event, name));
        watcher.on('error', () => this.#disarm());
        this.#armed = { path, identity, watcher };
      } catch {
        return;
      }
      if (known) this.#touch(null);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #nearest(): [path: string, identity: string | null] {
    for (let path = this.#folder; ; path = dirname(path)) {
      const identity = identityOf(path);
      if (identity !== null || path === dirname(path)) return [path, identity];
    }
  }

  #hear(path: string, event: string, name: string | null): void {
    if (path === this.#folder) this.#touch(name);
    if (event === 'rename') this.rearm();
  }

  #touch(name: string | null): void {
    if (name === null || (this.#names?.size ?? 0) >= MAX_NAMES) this.#names = null;
    else this.#names?.add(name);
    this.#timer ??= setTimeout(() => {
      const names = this.#names;
      this.#names = new Set();
      this.#timer = null;
      this.#onTouched(names);
    }, this.#settleMs).unref();
  }

  #disarm(): void {
    this.#armed?.watcher.close();
    this.#armed = null;
  }
}
