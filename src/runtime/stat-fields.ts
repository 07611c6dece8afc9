/** /proc/PID/stat by its fields: they are counted from behind the program's name, which may hold spaces and brackets. */
import { readFileSync } from 'node:fs';

/** From the state on: field n of proc(5) is `[n - 3]`. */
export const statFields = (text: string): string[] => text.slice(text.lastIndexOf(')') + 2).split(' ');

/** null when the process is gone. */
export const readStatFields = (pid: number): string[] | null => {
  try {
    return statFields(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return null;
  }
};
