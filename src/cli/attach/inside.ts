/** Whether this program runs inside a pane: typing into the pane it reads its keys from would never end. */
import { readStatFields } from '../../runtime/stat-fields.ts';

/** Process trees are not that deep; a chain that goes on is no chain. */
const MAX_DEPTH = 256;

/** By the parents of `pid`, as the kernel tells them; processes that left their parent are not found. */
export const isInside = (panePid: number, pid: number = process.pid): boolean => {
  let at = pid;
  for (let depth = 0; depth < MAX_DEPTH && at > 1; depth += 1) {
    if (at === panePid) return true;
    at = Number(readStatFields(at)?.[1] ?? 0);
  }
  return false;
};
