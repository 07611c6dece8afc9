/** What runs on this machine in no roster: which of it a roster could take as it is, and why not the rest. */
import { basename, dirname } from 'node:path';
import type { AgentRow } from '../../domain/agent-row.ts';
import { AGENT_NAME } from '../../domain/roster.ts';
import { isKnownRuntime } from '../../domain/runtime-table.ts';
import type { NewEntry } from '../../roster/edit/changes.ts';
import type { Paths } from '../../runtime/paths.ts';

export interface Found {
  row: AgentRow;
  /** How a roster would have it; null where it cannot. */
  entry: NewEntry | null;
  /** Why not; empty where it can. */
  why: string;
}

export const foundHere = (
  rows: readonly AgentRow[],
  { tmuxTmpdir }: Pick<Paths, 'tmuxTmpdir'>,
  uid: number,
): Found[] => {
  const folder = `${tmuxTmpdir}/tmux-${uid}`;
  const names = new Set<string>();
  return rows
    .filter(({ managed, tmux }) => !managed && tmux !== null)
    .map((row) => {
      const why =
        hindrance(row, folder) ?? (names.has(row.tmux?.session ?? '') ? 'another socket has that name, too' : '');
      if (why === '') names.add(row.tmux?.session ?? '');
      return { row, why, entry: why === '' ? entryOf(row) : null };
    });
};

const hindrance = ({ tmux, runtimeSeen }: AgentRow, folder: string): string | null => {
  if (tmux === null || tmux.dead === true) return 'it is dead';
  if (runtimeSeen === null) return 'it cannot be told what runs there';
  if (!isKnownRuntime(runtimeSeen)) return `${runtimeSeen} is no agent’s runtime`;
  if (!AGENT_NAME.test(tmux.session)) return 'its session’s name is no agent’s name';
  if (dirname(tmux.socket) !== folder) return `its socket is not in ${folder}`;
  return null;
};

/** On the socket that it has, so that nothing of it changes. */
const entryOf = ({ tmux, runtimeSeen, modelSeen }: AgentRow): NewEntry => {
  const socket = basename(tmux?.socket ?? '');
  return {
    name: tmux?.session ?? '',
    runtime: runtimeSeen ?? '',
    ...(modelSeen === null ? {} : { model_hint: modelSeen }),
    lifecycle: 'core',
    layout: 'shared',
    ...(socket === 'default' ? {} : { socket }),
    ...(tmux?.cwd ? { working_directory: tmux.cwd } : {}),
  };
};
