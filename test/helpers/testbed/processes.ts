/** Processes by pid and start time, read from /proc: a pid alone may be another process by now. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessId {
  pid: number;
  /** Start in clock ticks since boot (field 22 of stat). */
  startTicks: number;
}

export interface ProcessStat extends ProcessId {
  ppid: number;
  comm: string;
  state: string;
}

/** null where the process is gone. `proc` is the procfs to read: another one shows another pid namespace. */
export const readStat = (pid: number, proc = '/proc'): ProcessStat | null => {
  let text: string;
  try {
    text = readFileSync(`${proc}/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  return {
    pid,
    comm: text.slice(open + 1, close),
    state: fields[0] ?? '?',
    ppid: Number(fields[1]),
    startTicks: Number(fields[19]),
  };
};

export const allStats = (proc = '/proc'): ProcessStat[] =>
  readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name), proc))
    .filter((stat) => stat !== null);

/** Whether this very process still runs; a zombie has ended. */
export const isRunning = (id: ProcessId): boolean => {
  const stat = readStat(id.pid);
  return stat !== null && stat.startTicks === id.startTicks && stat.state !== 'Z';
};

/** Sends a signal to this very process and no other; false where it is gone. */
export const signalProcess = (id: ProcessId, signal: NodeJS.Signals): boolean => {
  if (!isRunning(id)) return false;
  try {
    process.kill(id.pid, signal);
    return true;
  } catch {
    return false;
  }
};
