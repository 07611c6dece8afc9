/** Whether the shell that called finds `fleet` by itself: ~/.local/bin comes onto many PATHs at a login after it was made. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

const NOTE = 'this shell does not find fleet yet: export PATH="$HOME/.local/bin:$PATH", or log in anew';

/** What to type before the next command; null where nothing has to be. */
export const pathNote = (path: string | undefined): string | null =>
  (path ?? '').split(':').some((folder) => folder !== '' && isProgram(join(folder, 'fleet'))) ? null : NOTE;

const isProgram = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
