/**
 * Comes in: a pane's process tree. Goes out: what the person at that pane would say runs there, through shells,
 * interpreters and wrappers, or why that cannot be told. Never guesses from titles that a pane's text could set.
 */
import { processKind } from './process-kind.ts';
import type { SeenProcess, SeenTree } from './process-tree.ts';
import { isKnownRuntime } from './runtime-table.ts';

export interface RuntimeSeen {
  /** A known runtime, or the interpreter, shell or program that is there instead of one; null: cannot be told. */
  runtime: string | null;
  /** Process that `runtime` was read from. */
  pid: number | null;
  /** Set exactly when `runtime` is null. */
  unknownBecause: string | null;
}

/** How much an answer says, highest first; of equals the first in process order holds. */
type Rank = 'runtime' | 'engine' | 'hidden' | 'program' | 'shell';
const RANKS: readonly Rank[] = ['runtime', 'engine', 'hidden', 'program', 'shell'];

interface Answer extends RuntimeSeen {
  rank: Rank;
}

const seen = (rank: Rank, runtime: string, { pid }: SeenProcess): Answer => ({
  rank,
  runtime,
  pid,
  unknownBecause: null,
});

const hidden = (words: string, { pid }: SeenProcess): Answer => ({
  rank: 'hidden',
  runtime: null,
  pid,
  unknownBecause: words,
});

export const runtimeSeen = (tree: SeenTree): RuntimeSeen => {
  const alive = tree.processes.filter(({ state }) => state !== 'Z' && state !== 'X');
  const root = alive[0];
  if (root === undefined || root.pid !== tree.processes[0]?.pid)
    return { runtime: null, pid: null, unknownBecause: 'no process' };
  const foreground = foregroundOf(alive, root.tpgid);
  if (foreground.size === 0)
    return { runtime: null, pid: null, unknownBecause: 'the foreground process is not below the pane' };
  const { runtime, pid, unknownBecause } = new Walk(alive, foreground).answer(root, 0)!;
  return { runtime, pid, unknownBecause };
};

/** Some process of the tree, in the foreground or not, is a known runtime. */
export const holdsKnownRuntime = (tree: SeenTree): boolean =>
  tree.processes.some((process) => process.state !== 'Z' && processKind(process).kind === 'runtime');

/** Pids of the foreground group; without a terminal everything counts. */
const foregroundOf = (alive: readonly SeenProcess[], tpgid: number): Set<number> =>
  new Set(alive.filter(({ pgid }) => tpgid < 1 || pgid === tpgid).map(({ pid }) => pid));

/** Deeper nesting than this is no wrapper any more, and a cycle in what was read must end. */
const MAX_DEPTH = 64;

class Walk {
  readonly #children = new Map<number, SeenProcess[]>();
  readonly #foreground: ReadonlySet<number>;
  /** Processes that are, or lead to, the foreground. */
  readonly #leading = new Set<number>();

  constructor(alive: readonly SeenProcess[], foreground: ReadonlySet<number>) {
    this.#foreground = foreground;
    const byPid = new Map(alive.map((process) => [process.pid, process]));
    for (const process of alive.slice(1)) {
      const siblings = this.#children.get(process.ppid);
      if (siblings) siblings.push(process);
      else this.#children.set(process.ppid, [process]);
    }
    for (const pid of foreground) {
      for (let at = byPid.get(pid); at && !this.#leading.has(at.pid); at = byPid.get(at.ppid))
        this.#leading.add(at.pid);
    }
  }

  /** Null: neither this process nor one below it is in the foreground. */
  answer(process: SeenProcess, depth: number): Answer | null {
    if (depth > MAX_DEPTH || !this.#leading.has(process.pid)) return null;
    const own = this.#own(process);
    if (own?.rank === 'runtime') return own;
    const below = this.#below(process, depth);
    if (own === null) return below ?? hidden(`${processKind(process).name} shows nothing below it`, process);
    if (below === null || below.rank === 'runtime') return below ?? own;
    return stronger(own, below);
  }

  /** What this process says of itself; null: it only leads to others. */
  #own(process: SeenProcess): Answer | null {
    const kind = processKind(process);
    const here = this.#foreground.has(process.pid);
    switch (kind.kind) {
      case 'runtime':
        // Stopped or in the background: whoever typed now would reach another process.
        return here ? seen('runtime', kind.name, process) : null;
      case 'engine':
        return here ? seen('engine', kind.name, process) : null;
      case 'program':
        return here ? seen('program', kind.name, process) : null;
      case 'hiding':
        return here ? hidden(`${kind.name} hides what runs`, process) : null;
      case 'carrier':
        return null;
      case 'launcher':
        return hidden(`${kind.name} shows no runtime below it`, process);
      case 'shell':
        if (!here) return null;
        if (kind.hidesRuntime !== null) return hidden(`a shell script ${kind.hidesRuntime} hides what runs`, process);
        // What a script runs comes and goes; what an interactive shell has in front is what is there.
        return seen(kind.script ? 'program' : 'shell', kind.name, process);
    }
  }

  #below(process: SeenProcess, depth: number): Answer | null {
    let best: Answer | null = null;
    for (const child of this.#children.get(process.pid) ?? []) {
      const answer = this.answer(child, depth + 1);
      if (answer !== null) best = best === null ? answer : stronger(best, answer);
    }
    return best;
  }
}

const stronger = (first: Answer, second: Answer): Answer =>
  RANKS.indexOf(second.rank) < RANKS.indexOf(first.rank) ? second : first;

/** The answer is one of the agent runtimes of the table. */
export const isAgentRuntime = ({ runtime }: RuntimeSeen): boolean => runtime !== null && isKnownRuntime(runtime);
