/** What is kept of a takeover on disk, as this room needs it: its begin before the keyboard is handed over, its end. */
import { FleetError } from '../../src/domain/errors.ts';
import type { LeaseEnd } from './lease.ts';

export interface TakeoverLog {
  /** Resolves when it is on disk; where it rejects, nothing may be handed over. */
  begin(start: { id: string; key: string; paneId: string; panePid: number; actor: string }): Promise<void>;
  /** Never rejects. */
  end(id: string, outcome: 'done' | 'failed' | 'refused', reason: string): Promise<void>;
}

type Last = [outcome: 'done' | 'failed' | 'refused', reason: string];

export const refusedAs = (error: unknown): Last => [
  'refused',
  error instanceof FleetError ? error.message : 'it failed on its host: the log there says how',
];

/** tmux's words about a key stay out of it: they may tell what was typed. */
export const endedAs = ({ reason, detail }: LeaseEnd): Last =>
  reason === 'failed' ? ['failed', 'a key could not be typed'] : ['done', `${reason}: ${detail}`];
