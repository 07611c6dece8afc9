/**
 * One run of the bench: its folder, the program under measure, and what must be ended when it is over. Folders of runs
 * that were killed are cleared by the next run.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Machine } from './machine.ts';
import { copyShipped, type Shipped } from './shipped.ts';

const PREFIX = 'fleet-bench-';

export class Bench {
  readonly shipped: Shipped;
  readonly folder: string;
  readonly #runId: string;
  #machines = 0;

  private constructor(folder: string, shipped: Shipped) {
    this.folder = folder;
    this.shipped = shipped;
    this.#runId = folder.slice(folder.lastIndexOf('-') + 1);
  }

  static begin(): Bench {
    clearStale();
    const folder = mkdtempSync(join(tmpdir(), PREFIX));
    writeFileSync(join(folder, 'owner'), ownerOf(process.pid));
    mkdirSync(join(folder, 'shipped'));
    return new Bench(folder, copyShipped(join(folder, 'shipped')));
  }

  machine(name: string): Machine {
    this.#machines += 1;
    const place = String(this.#machines);
    return new Machine(this.shipped, join(this.folder, place), `b${this.#runId}${place}`, name);
  }

  /** Prose for the person who waits. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A pid is used again; with its start it names one process. */
const ownerOf = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
};

const isAlive = (owner: string): boolean => {
  try {
    return ownerOf(Number(owner.split(' ')[0])) === owner;
  } catch {
    return false;
  }
};

/** Daemons of a killed run ended with it; its tmux servers and files did not. */
const clearStale = (): void => {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    try {
      if (isAlive(readFileSync(join(folder, 'owner'), 'utf8'))) continue;
      endTmuxBelow(folder);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another user's, or half made: whoever owns it clears it.
    }
  }
};

const endTmuxBelow = (folder: string): void => {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSocket() || !/\/tmux-\d+$/.test(entry.parentPath)) continue;
    try {
      execFileSync('tmux', ['-S', join(entry.parentPath, entry.name), 'kill-server'], {
        stdio: 'ignore',
        timeout: 5_000,
      });
    } catch {
      // Its server had ended already.
    }
  }
};
