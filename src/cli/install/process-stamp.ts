/** A process by its number and the moment it began, so that a number used again is never mistaken for it. */
import { readFileSync } from 'node:fs';

export interface ProcessStamp {
  pid: number;
  /** Clock ticks after boot (field 22 of /proc/<pid>/stat). */
  startTicks: string;
  bootId: string;
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** null when there is no such process, or only its zombie. */
export const stampOf = (pid: number): ProcessStamp | null => {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The command's name may hold spaces and brackets: fields are counted after its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return { pid, startTicks: fields[19] as string, bootId: bootId() };
};

export const isRunning = (stamp: ProcessStamp): boolean => {
  const present = stampOf(stamp.pid);
  return present?.startTicks === stamp.startTicks && present.bootId === stamp.bootId;
};
