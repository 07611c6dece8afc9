import { readStatFields } from './stat-fields.ts';

/**
 * Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat), or null when it is gone.
 * A pid alone is used again; a pid with its start time is one process.
 */
export const processStartTicks = (pid: number): string | null => readStatFields(pid)?.[19] ?? null;
