/** For whom a call goes on: its caller alone, or those whom the controller names while they come and go. */
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Audience } from './own-calls.ts';

/** One watcher, always the same. */
export const soleAudience = (name: string): Audience => ({
  watchers: [name],
  onChange: () => ({ [Symbol.dispose]: () => {} }),
});

export class SharedAudience implements Audience {
  readonly #changed = new Listeners();
  #watchers: readonly string[];

  constructor(watchers: readonly string[]) {
    this.#watchers = watchers;
  }

  get watchers(): readonly string[] {
    return this.#watchers;
  }

  tell(watchers: readonly string[]): void {
    this.#watchers = watchers;
    this.#changed.emit();
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }
}
