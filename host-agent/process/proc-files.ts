/**
 * The files of one /proc, each read with a bound and never with an exception: a process may end between two
 * reads. Synchronous, since /proc answers from memory.
 */
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Longer command lines are cut: what runs stands at their start. */
const MAX_BYTES = 16 * 1024;
/** `/proc/stat` grows with the processors, an environment with whoever set it. */
const MAX_LARGE_BYTES = 1024 * 1024;

export class ProcFiles {
  readonly #root: string;
  readonly #buffer = Buffer.alloc(MAX_BYTES);

  constructor(root: string) {
    this.#root = root;
  }

  /** The first 16 KiB, or null. */
  bytes(path: string): Buffer | null {
    return this.#upTo(path, this.#buffer);
  }

  text(path: string): string | null {
    return this.bytes(path)?.toString('utf8') ?? null;
  }

  /** The first MiB, or null. */
  largeText(path: string): string | null {
    return this.#upTo(path, Buffer.allocUnsafe(MAX_LARGE_BYTES))?.toString('utf8') ?? null;
  }

  #upTo(path: string, buffer: Buffer): Buffer | null {
    let file: number;
    try {
      file = openSync(join(this.#root, path), 'r');
    } catch {
      return null;
    }
    try {
      let length = 0;
      for (;;) {
        const read = readSync(file, buffer, length, buffer.length - length, null);
        length += read;
        if (read === 0 || length === buffer.length) return Buffer.from(buffer.subarray(0, length));
      }
    } catch {
      return null;
    } finally {
      closeSync(file);
    }
  }

  link(path: string): string | null {
    try {
      return readlinkSync(join(this.#root, path));
    } catch {
      return null;
    }
  }

  /** Entries that are numbers: processes of /proc, threads of a task folder. */
  pids(path: string): number[] {
    try {
      return readdirSync(join(this.#root, path))
        .filter((name) => /^\d+$/.test(name))
        .map(Number);
    } catch {
      return [];
    }
  }
}
