/** Whether this program runs inside a pane: typing into the pane it reads its keys from would never end. */
import { readFileSync } from 'node:fs';

/** Process trees are not that deep; a chain that goes on is no chain. */
const MAX_DEPTH = 256;

/** By the parents of `pid`, as the kernel tells them; processes that left their parent are not found. */
export const isInside = (panePid: number, pid: number = process.pid): boolean => {
  let at = pid;
  for (let depth = 0; depth < MAX_DEPTH && at > 1; depth += 1) {
    if (at === panePid) return true;
    at = parentOf(at);
  }
  return false;
};

/** Field 4 of proc(5) stat; the name before it may hold spaces and parentheses. */
const parentOf = (pid: number): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  } catch {
    return 0;
  }
};
