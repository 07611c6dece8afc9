/**
 * How long a program needs for two million lines: with nobody watching, watched from another host, with a watcher that was
 * stopped, and with a tmux client attached; in turn, round after round.
 */
import { constants, openSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { exec } from '../../../src/runtime/exec.ts';
import { endChild } from '../harness/children.ts';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { DrawnTerminal } from '../harness/local-terminals.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { type Agent, type WatchedPair, watchedPair } from '../places/watched-pair.ts';

/** A watched program keeps nine tenths of its throughput. */
const REACH = 1 / 0.9;
const LINES = 2_000_000;
const ROUNDS = 9;
const SETTLE_MS = 1_500;
const RUN_TIMEOUT_MS = 60_000;
const PROGRAM = fileURLToPath(new URL('../programs/lines.sh', import.meta.url));

/** The program in its pane, asked from outside: the same life of one pane for every run. */
class Printer implements Disposable {
  readonly #ask: string;
  readonly #told: Socket;
  readonly #waiting: ((line: string) => void)[] = [];

  private constructor(ask: string, tell: string) {
    this.#ask = ask;
    // Not a file stream: its read of a pipe that says nothing would never end.
    this.#told = new Socket({ fd: openSync(tell, constants.O_RDWR | constants.O_NONBLOCK), writable: false });
    createInterface({ input: this.#told }).on('line', (line) => this.#waiting.shift()?.(line));
  }

  static async start(place: WatchedPair): Promise<{ printer: Printer; agent: Agent }> {
    const [ask, tell] = ['ask', 'tell'].map((name) => join(place.dragon.home, name)) as [string, string];
    await exec('mkfifo', [ask, tell], { timeoutMs: 5_000 });
    const printer = new Printer(ask, tell);
    return { printer, agent: await place.agent('printer', `exec bash '${PROGRAM}' '${ask}' '${tell}'`) };
  }

  /** Milliseconds by the program's own clock. */
  async print(lines: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#waiting.push(resolve);
    const late = setTimeout(() => reject(new Error('the program did not end')), RUN_TIMEOUT_MS);
    writeFileSync(this.#ask, `${lines}\n`);
    try {
      return Number(await promise) / 1_000;
    } finally {
      clearTimeout(late);
    }
  }

  [Symbol.dispose](): void {
    this.#told.destroy();
  }
}

type Company = 'nobody' | 'watcher' | 'stopped' | 'tmux';

/** `fleet watch` on a pipe: a JSON line for each frame. One that saw nothing of the print is no watcher. */
const watcherOf = ({ jarvis, dragon }: WatchedPair, agent: Agent, isStopped: boolean): AsyncDisposable => {
  const child = jarvis.follow(['watch', `${dragon.name}/${agent.name}`], { stdio: ['ignore', 'pipe', 'ignore'] });
  let frames = 0;
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    frames += Number(line.includes('"event":"frame"'));
  });
  const stop = isStopped ? setTimeout(() => child.kill('SIGSTOP'), SETTLE_MS * 0.8) : undefined;
  return {
    [Symbol.asyncDispose]: async () => {
      clearTimeout(stop);
      child.kill('SIGCONT');
      await endChild(child);
      if (frames < (isStopped ? 1 : 5)) throw new Error(`the watcher saw ${frames} frames`);
    },
  };
};

const company: Record<Company, (place: WatchedPair, agent: Agent) => AsyncDisposable> = {
  nobody: () => ({ [Symbol.asyncDispose]: async () => {} }),
  watcher: (place, agent) => watcherOf(place, agent, false),
  stopped: (place, agent) => watcherOf(place, agent, true),
  tmux: ({ dragon }, agent) => DrawnTerminal.local(dragon, agent),
};

export const watchThroughput: Figure = figure({
  name: 'watch-throughput',
  about: `a program's own time for ${LINES / 1e6} million lines, watched and not (${ROUNDS} rounds)`,
  place: watchedPair,
  async *measure(place: WatchedPair) {
    const { printer, agent } = await Printer.start(place);
    using _printer = printer;
    const names = Object.keys(company) as Company[];
    const runs = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Company, number[]>;
    await printer.print(LINES);
    const load = new MachineLoad();
    for (let round = 0; round < ROUNDS; round++) {
      // Each begins a round as often as the others: what else runs on the machine comes and goes.
      for (const at of names.keys()) {
        const name = names[(at + round) % names.length] as Company;
        await using _company = company[name](place, agent);
        await pause(SETTLE_MS);
        runs[name].push(await printer.print(LINES));
      }
    }
    const alone = median(runs.nobody);
    const busy = load.busyPercent;
    for (const name of ['watcher', 'stopped'] as const) {
      yield measured(`watch-throughput.${name}`, median(runs[name]) / alone, 'times as long', REACH, {
        ...Object.fromEntries(names.map((each) => [`${each}_ms`, summary(runs[each])])),
        paired: median(runs[name].map((ms, round) => ms / (runs.nobody[round] as number))),
        tmux_client_attached: median(runs.tmux) / alone,
        machine_busy_percent: busy,
      });
    }
    await place.end(agent);
  },
});
