/** A process by its number and the moment it began, so that a number used again is never mistaken for it. */
import { readFileSync } from 'node:fs';
import { readStatFields } from '../../runtime/stat-fields.ts';

export interface ProcessStamp {
  pid: number;
  /** Clock ticks after boot (field 22 of /proc/<pid>/stat). */
  startTicks: string;
  bootId: string;
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** null when there is no such process, or only its zombie. */
export const stampOf = (pid: number): ProcessStamp | null => {
  const fields = readStatFields(pid);
  if (fields === null || fields[0] === 'Z' || fields[0] === 'X') return null;
  return { pid, startTicks: fields[19] as string, bootId: bootId() };
};

export const isRunning = (stamp: ProcessStamp): boolean => {
  const present = stampOf(stamp.pid);
  return present?.startTicks === stamp.startTicks && present.bootId === stamp.bootId;
};
