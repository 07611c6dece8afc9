/** What a process costs, as the kernel counts it. All reads are of /proc; nothing is traced or slowed. */
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's USER_HZ; 100 on every architecture that the product ships for. */
const TICK_MS = 10;

export interface ProcessCost {
  atMs: number;
  cpuMs: number;
  /** Of children that ended and were waited for. */
  childCpuMs: number;
  /** Page faults of such children: a program that was started and has ended leaves some, so none means none was. */
  childFaults: number;
  children: number[];
}

export const readCost = (pid: number): ProcessCost => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // Field 3 and on; the name before them may hold anything.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const field = (number: number): number => fields[number - 3] as number;
  return {
    atMs: performance.now(),
    cpuMs: (field(14) + field(15)) * TICK_MS,
    childCpuMs: (field(16) + field(17)) * TICK_MS,
    childFaults: field(11) + field(13),
    children: childrenOf(pid),
  };
};

/** Children of every thread. */
export const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => {
      try {
        return readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ');
      } catch {
        return [];
      }
    })
    .filter((word) => word !== '')
    .map(Number);

/** Share of one core, in percent. */
export const cpuPercent = (before: ProcessCost, after: ProcessCost): number =>
  (100 * (after.cpuMs - before.cpuMs)) / (after.atMs - before.atMs);

export interface Memory {
  rssMb: number;
  /** Shared pages counted by share. */
  pssMb: number;
  /** Highest ever. */
  peakRssMb: number;
}

export const readMemory = (pid: number): Memory => {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kilobytes = (text: string, name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  return {
    rssMb: kilobytes(rollup, 'Rss') / 1_000,
    pssMb: kilobytes(rollup, 'Pss') / 1_000,
    peakRssMb: kilobytes(status, 'VmHWM') / 1_000,
  };
};

/** Share of all cores that was in use, by anybody: what else ran while a figure was taken. */
export class MachineLoad {
  readonly #before = readMachine();

  get busyPercent(): number {
    const now = readMachine();
    const total = now.total - this.#before.total;
    return total === 0 ? 0 : (100 * (total - (now.idle - this.#before.idle))) / total;
  }
}

const readMachine = (): { total: number; idle: number } => {
  const line = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] as string;
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  return { total: ticks.reduce((sum, each) => sum + each, 0), idle: (ticks[3] as number) + (ticks[4] as number) };
};
