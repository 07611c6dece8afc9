/**
 * Comes in: pids of panes. Goes out: their process trees and cgroups, read from /proc when asked. No fork, no
 * state but the boot time; what may not be read is null, what is gone is left out.
 */
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import type { Process, ProcessTable, ProcessTree } from '../inventory/source.ts';
import { type ChildrenOf, childrenOf } from './children.ts';
import { ProcFiles } from './proc-files.ts';
import { parseBootMs, parseCgroup, parseCmdline, parsePageBytes, parseStat } from './stat.ts';

/** USER_HZ, in which Linux tells user space times: 100 on every architecture that Node 24 runs on. */
const CLOCK_TICKS_PER_SECOND = 100;

/** A fork bomb in a pane costs this many reads, no more; the processes beyond are left out. */
const MAX_TREE = 1_024;
const BOOT_TIME_GOOD_MS = 30_000;
/** `btime` is told in whole seconds and rounds to and fro by one: only a set clock moves it further. */
const BOOT_TIME_JITTER_MS = 1_500;

export interface ProcTableOptions {
  procRoot?: string;
  clock?: Clock;
}

export class ProcTable implements ProcessTable {
  readonly #files: ProcFiles;
  readonly #clock: Clock;
  #pageBytes: number | null = null;
  #boot: { ms: number; readAtMs: number } | null = null;

  constructor(options: ProcTableOptions = {}) {
    this.#files = new ProcFiles(options.procRoot ?? '/proc');
    this.#clock = options.clock ?? systemClock;
  }

  trees(rootPids: readonly number[]): Map<number, ProcessTree> {
    const trees = new Map<number, ProcessTree>();
    const children = childrenOf(this.#files, rootPids);
    const bootMs = this.#bootMs();
    for (const pid of rootPids) {
      const processes = this.#descend(pid, children, bootMs);
      if (processes.length > 0) trees.set(pid, { processes });
    }
    return trees;
  }

  /** A zombie is not. */
  isAlive(pid: number): boolean {
    const state = parseStat(this.#files.text(`${pid}/stat`) ?? '')?.state;
    return state !== undefined && state !== 'Z' && state !== 'X';
  }

  environment(pid: number, name: string): string | null {
    const start = `${name}=`;
    const variables = this.#files.largeText(`${pid}/environ`)?.split('\0') ?? [];
    return variables.find((variable) => variable.startsWith(start))?.slice(start.length) ?? null;
  }

  cgroup(pid: number): string | null {
    return parseCgroup(this.#files.text(`${pid}/cgroup`) ?? '');
  }

  #descend(root: number, children: ChildrenOf, bootMs: number): Process[] {
    const processes: Process[] = [];
    const queued = [root];
    const known = new Set(queued);
    for (const pid of queued) {
      const process = this.#read(pid, bootMs);
      if (process === null) continue;
      processes.push(process);
      for (const child of children(pid)) {
        if (known.has(child) || known.size >= MAX_TREE) continue;
        known.add(child);
        queued.push(child);
      }
    }
    return processes[0]?.pid === root ? processes : [];
  }

  #read(pid: number, bootMs: number): Process | null {
    const stat = parseStat(this.#files.text(`${pid}/stat`) ?? '');
    if (stat === null) return null;
    const { ppid, pgid, tpgid, state, comm, cpuTicks, startTicks, rssPages } = stat;
    return {
      pid,
      ppid,
      pgid,
      tpgid,
      state,
      comm,
      exe: this.#files.link(`${pid}/exe`),
      argv: parseCmdline(this.#files.text(`${pid}/cmdline`) ?? ''),
      startedMs: bootMs + (startTicks * 1_000) / CLOCK_TICKS_PER_SECOND,
      rssBytes: rssPages * this.#page(),
      cpuTicks,
    };
  }

  /** The same answer until the wall clock is set, so that a start time is the same at each look. */
  #bootMs(): number {
    const nowMs = this.#clock.monotonicMs();
    if (this.#boot !== null && nowMs - this.#boot.readAtMs < BOOT_TIME_GOOD_MS) return this.#boot.ms;
    const readMs = parseBootMs(this.#files.largeText('stat') ?? '') ?? this.#boot?.ms ?? 0;
    const moved = this.#boot === null || Math.abs(readMs - this.#boot.ms) > BOOT_TIME_JITTER_MS;
    this.#boot = { ms: moved ? readMs : this.#boot!.ms, readAtMs: nowMs };
    return this.#boot.ms;
  }

  #page(): number {
    this.#pageBytes ??= parsePageBytes(this.#files.bytes('self/auxv') ?? new Uint8Array()) ?? 4_096;
    return this.#pageBytes;
  }
}
