/** Who looks at which agent and who types into it, as the calls that are open say. */
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Audience } from '../calls/own-calls.ts';
import type { Company } from './ports.ts';

/** Who has taken over; the takeover room knows. */
export interface Writers {
  writer(key: string): string | null;
  onChange(listener: () => void): Disposable;
}

export class OpenCompany implements Company {
  readonly #writers: Writers | null;
  readonly #changed = new Listeners();
  readonly #audiences = new Map<string, Set<Audience>>();

  constructor(writers: Writers | null) {
    this.#writers = writers;
  }

  watchers(key: string): readonly string[] {
    return [...new Set([...(this.#audiences.get(key) ?? [])].flatMap(({ watchers }) => watchers))];
  }

  writer(key: string): string | null {
    return this.#writers?.writer(key) ?? null;
  }

  onChange(listener: () => void): Disposable {
    const stack = new DisposableStack();
    stack.use(this.#changed.add(listener));
    if (this.#writers) stack.use(this.#writers.onChange(listener));
    return stack;
  }

  /** Counts those for whom a call goes on, until disposed. */
  join(key: string, audience: Audience): Disposable {
    const entry: Audience = {
      get watchers() {
        return audience.watchers;
      },
      onChange: (listener) => audience.onChange(listener),
    };
    const audiences = this.#audiences.get(key) ?? new Set();
    this.#audiences.set(key, audiences.add(entry));
    const heard = audience.onChange(() => this.#changed.emit());
    this.#changed.emit();
    return {
      [Symbol.dispose]: () => {
        heard[Symbol.dispose]();
        audiences.delete(entry);
        if (audiences.size === 0 && this.#audiences.get(key) === audiences) this.#audiences.delete(key);
        this.#changed.emit();
      },
    };
  }
}
