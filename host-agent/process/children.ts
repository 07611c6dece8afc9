/**
 * Who is whose child. The kernel's own lists (`task/TID/children`) where it keeps them, else one scan of all
 * processes; either way a process that starts meanwhile is seen at the next look.
 */
import type { ProcFiles } from './proc-files.ts';
import { parseStat } from './stat.ts';

export type ChildrenOf = (pid: number) => readonly number[];

/** More roots than this are cheaper by one scan than by each thread's list. */
const MAX_ROOTS_BY_LISTS = 64;

export const childrenOf = (files: ProcFiles, roots: readonly number[]): ChildrenOf => {
  const probe = roots.find((pid) => files.text(`${pid}/stat`) !== null);
  if (probe === undefined) return () => [];
  const lists = roots.length <= MAX_ROOTS_BY_LISTS && files.text(`${probe}/task/${probe}/children`) !== null;
  return lists ? fromLists(files) : fromScan(files);
};

const fromLists =
  (files: ProcFiles): ChildrenOf =>
  (pid) =>
    files
      .pids(`${pid}/task`)
      .flatMap((thread) => (files.text(`${pid}/task/${thread}/children`) ?? '').match(/\d+/g)?.map(Number) ?? []);

const fromScan = (files: ProcFiles): ChildrenOf => {
  const byParent = new Map<number, number[]>();
  for (const pid of files.pids('')) {
    const stat = parseStat(files.text(`${pid}/stat`) ?? '');
    if (stat === null) continue;
    const siblings = byParent.get(stat.ppid);
    if (siblings) siblings.push(pid);
    else byParent.set(stat.ppid, [pid]);
  }
  return (pid) => byParent.get(pid) ?? [];
};
