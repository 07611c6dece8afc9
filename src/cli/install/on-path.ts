/** Whether the shell that called finds `fleet` by itself: ~/.local/bin comes onto many PATHs at a login after it was made. */
import { join } from 'node:path';
import { mayRun } from '../may-run.ts';

const NOTE = 'this shell does not find fleet yet: export PATH="$HOME/.local/bin:$PATH", or log in anew';

/** What to type before the next command; null where nothing has to be. */
export const pathNote = (path: string | undefined): string | null =>
  (path ?? '').split(':').some((folder) => folder !== '' && mayRun(join(folder, 'fleet'))) ? null : NOTE;
