/** The lines of a `fleet ps -w` on a pipe, each with the moment at which it could be read. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ChangeLine {
  event: string;
  atMs: number;
  address?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the contract's own JSON, of which each figure looks at one field
  agent?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  host_agent?: any;
}

export class ChangeLines {
  readonly #waiting = new Set<(line: ChangeLine) => void>();
  readonly #ended = Promise.withResolvers<never>();

  constructor(child: ChildProcess) {
    this.#ended.promise.catch(() => undefined);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on('line', (text) => {
      const line = { ...(JSON.parse(text) as Omit<ChangeLine, 'atMs'>), atMs: performance.now() };
      for (const listener of [...this.#waiting]) listener(line);
    });
    lines.on('close', () => this.#ended.reject(new Error('fleet ps -w ended')));
  }

  onLine(listener: (line: ChangeLine) => void): Disposable {
    this.#waiting.add(listener);
    return { [Symbol.dispose]: () => void this.#waiting.delete(listener) };
  }

  /** Call it before the act: what came earlier is not seen. Rejects after `timeoutMs`. */
  async next(wanted: (line: ChangeLine) => boolean, timeoutMs: number): Promise<ChangeLine> {
    const found = Promise.withResolvers<ChangeLine>();
    using _listening = this.onLine((line) => {
      if (wanted(line)) found.resolve(line);
    });
    const late = setTimeout(() => found.reject(new Error(`not shown within ${timeoutMs} ms`)), timeoutMs);
    try {
      return await Promise.race([found.promise, this.#ended.promise]);
    } finally {
      clearTimeout(late);
    }
  }
}
