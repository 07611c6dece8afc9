/** In: a pid. Out: what /proc/PID/stat says of it. Never throws: a process that is gone is null. */
import { readFileSync, statSync } from 'node:fs';

/** USER_HZ, which Linux fixes at 100 for all that /proc shows. */
const TICKS_PER_SECOND = 100;

export interface ProcessStat {
  /** R, S, D, Z, T … */
  state: string;
  /** Ticks between boot and the start of the process. */
  startTicks: number;
  /** It runs as the user of this process. */
  own: boolean;
  /** What wait(2) would tell of an own zombie; else 0. */
  waitStatus: number;
}

export const readProcessStat = (procRoot: string, pid: number): ProcessStat | null => {
  try {
    const text = readFileSync(`${procRoot}/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything, parentheses too.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const startTicks = Number(fields[19]);
    if (!fields[0] || !Number.isSafeInteger(startTicks)) return null;
    const own = statSync(`${procRoot}/${pid}`).uid === process.getuid?.();
    return { state: fields[0], startTicks, own, waitStatus: Number(fields[49]) || 0 };
  } catch {
    return null;
  }
};

/** Boot as wall-clock milliseconds; whole seconds, and moved only by steps of the clock. */
export const readBootMs = (procRoot: string): number | null => {
  try {
    const match = /^btime (\d+)$/m.exec(readFileSync(`${procRoot}/stat`, 'latin1'));
    return match ? Number(match[1]) * 1_000 : null;
  } catch {
    return null;
  }
};

export const startedMs = (bootMs: number, startTicks: number): number =>
  bootMs + Math.round((startTicks * 1_000) / TICKS_PER_SECOND);
