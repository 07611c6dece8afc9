/**
 * Whether a user's manager starts at boot and stays after logout: logind's mark, followed. Reads only; turning
 * linger on or off is an order's business.
 */
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FolderWatch } from '../../src/runtime/folder-watch.ts';

const LINGER_FOLDER = '/var/lib/systemd/linger';

const exists = (path: string): boolean | null => {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? false : null;
  }
};

export class Linger {
  readonly #user: string;
  readonly #folder: string;
  readonly #watch: FolderWatch;

  constructor(user: string, onTouched: () => void, folder = LINGER_FOLDER) {
    this.#user = user;
    this.#folder = folder;
    this.#watch = new FolderWatch(folder, onTouched);
  }

  start(signal: AbortSignal): void {
    this.#watch.start(signal);
  }

  /** Null: there is no logind here, or it cannot be told. logind makes the folder with the first mark. */
  read(): boolean | null {
    this.#watch.rearm();
    const marked = exists(join(this.#folder, this.#user));
    return marked === false && exists(dirname(this.#folder)) !== true ? null : marked;
  }
}
