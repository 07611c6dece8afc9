/** In: a pid. Out: what /proc/PID/stat says of it. Never throws: a process that is gone is null. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { statFields } from '../../src/runtime/stat-fields.ts';

export interface ProcessStat {
  /** R, S, D, Z, T … */
  state: string;
  parentPid: number;
  /** Ticks between boot and the start of the process. */
  startTicks: number;
  /** What wait(2) would tell of a zombie; 0 otherwise, and where another user's may not be read. */
  waitStatus: number;
}

/** readFileSync takes 64 KiB for a file without a size; this runs many times a second. */
const MAX_STAT_BYTES = 1_024;

const readStat = (path: string): string => {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(MAX_STAT_BYTES);
    return buffer.toString('latin1', 0, readSync(file, buffer));
  } finally {
    closeSync(file);
  }
};

export const readProcessStat = (procRoot: string, pid: number): ProcessStat | null => {
  try {
    const fields = statFields(readStat(`${procRoot}/${pid}/stat`));
    const startTicks = Number(fields[19]);
    if (!fields[0] || !Number.isSafeInteger(startTicks)) return null;
    return { state: fields[0], parentPid: Number(fields[1]), startTicks, waitStatus: Number(fields[49]) || 0 };
  } catch {
    return null;
  }
};

export const ownerOf = (procRoot: string, pid: number): number | null => {
  try {
    return statSync(`${procRoot}/${pid}`).uid;
  } catch {
    return null;
  }
};
