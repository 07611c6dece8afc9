/** One feed for each agent that somebody watches; the last who leaves ends it at once. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { PaneOutputs } from '../tmux/pane-outputs.ts';
import type { Questions } from '../tmux/questions.ts';
import { EndOfScreen } from './end-of-screen.ts';
import type { AgentPanes, Company } from './ports.ts';
import { ScreenFeed } from './screen-feed.ts';

export interface ScreenFeedsOptions {
  panes: AgentPanes;
  company: Company;
  questions: Questions;
  outputs: PaneOutputs;
  clock: Clock;
  servers: { hasServer(socket: string): boolean; isSilent(socket: string): boolean };
  /** Least time between two frames of one screen. */
  frameMs?: number;
  /** Between looks at a screen whose output cannot be followed. */
  pollMs?: number;
  /** See EndOptions. */
  graceMs?: number;
}

interface Held {
  feed: ScreenFeed;
  watchers: number;
  stop: AbortController;
  done: Promise<void>;
}

export class ScreenFeeds {
  readonly #options: ScreenFeedsOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: ScreenFeedsOptions) {
    this.#options = options;
  }

  /** The agent's feed, begun for whoever comes first; held until disposed. */
  watch(key: string): Disposable & { feed: ScreenFeed } {
    const known = this.#held.get(key);
    // Who comes after an end sees what there is now, not the end again.
    const held = known && known.feed.ended === null ? known : this.#begin(key);
    held.watchers += 1;
    return {
      feed: held.feed,
      [Symbol.dispose]: () => {
        held.watchers -= 1;
        if (held.watchers > 0) return;
        held.stop.abort();
        if (this.#held.get(key) === held) this.#held.delete(key);
      },
    };
  }

  #begin(key: string): Held {
    const { panes, company, questions, outputs, clock, servers, frameMs = 33, pollMs = 250 } = this.#options;
    const end = new EndOfScreen({
      row: (of) => panes.row(of),
      hasServer: (socket) => servers.hasServer(socket),
      isSilent: (socket) => servers.isSilent(socket),
      clock,
      graceMs: this.#options.graceMs ?? 10_000,
    });
    const feed = new ScreenFeed({ key, panes, company, questions, outputs, clock, end, frameMs, pollMs });
    const stop = new AbortController();
    end.judge(key);
    const held: Held = { feed, watchers: 0, stop, done: feed.run(stop.signal) };
    this.#held.set(key, held);
    return held;
  }
}
