/**
 * tmux can lose the end of a pane's process (tmux#311, seen on 3.3a): the process stays a zombie, and the pane
 * is alive, or dead without a status, for ever. The zombie itself knows how it ended.
 */
import type { TmuxPane } from '../inventory/source.ts';
import { signalName } from './list-parse.ts';
import { ownerOf, readProcessStat } from './process-stat.ts';

/** tmux up to 3.6 can also say dead shortly before it knows the status (tmux#4841). */
export const lacksStatus = (pane: TmuxPane): boolean => pane.dead && pane.exitStatus === null && pane.signal === null;

/** The pane as its process says; the same object where there is nothing to add. */
export const withZombie = (pane: TmuxPane, procRoot: string): TmuxPane => {
  if (pane.dead && !lacksStatus(pane)) return pane;
  const stat = readProcessStat(procRoot, pane.pid);
  if (stat?.state !== 'Z') return pane;
  // Another user's exit status reads as 0, whatever it was.
  if (ownerOf(procRoot, pane.pid) !== process.getuid?.()) return { ...pane, dead: true };
  const signal = stat.waitStatus & 0x7f;
  if (signal !== 0) return { ...pane, dead: true, exitStatus: null, signal: signalName(String(signal)) };
  return { ...pane, dead: true, exitStatus: (stat.waitStatus >> 8) & 0xff, signal: null };
};
