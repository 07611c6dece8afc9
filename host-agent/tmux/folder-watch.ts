/**
 * In: a folder that may not exist yet. Out: a call after something in it changed, appeared or went. Never: a
 * call taken for truth; it only says "look now", and a slow rescan by `renew` covers what inotify missed.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

const inodeOf = (path: string): string | null => {
  try {
    const stat = statSync(path);
    return `${stat.dev}:${stat.ino}`;
  } catch {
    return null;
  }
};

export class FolderWatch {
  readonly #folder: string;
  readonly #onChange: () => void;
  #watched: { path: string; inode: string; watcher: FSWatcher } | null = null;

  constructor(folder: string, onChange: () => void) {
    this.#folder = folder;
    this.#onChange = onChange;
  }

  /** Watches the folder, or its parent while it does not exist; cheap when nothing moved. */
  renew(): void {
    const path = [this.#folder, dirname(this.#folder)].find((each) => inodeOf(each) !== null);
    const inode = path === undefined ? null : inodeOf(path);
    if (this.#watched && this.#watched.path === path && this.#watched.inode === inode) return;
    this.close();
    if (path === undefined || inode === null) return;
    const isParent = path !== this.#folder;
    try {
      const watcher = watch(path, (_event, name) => {
        if (isParent && name !== basename(this.#folder)) return;
        this.#onChange();
      });
      watcher.on('error', () => this.close());
      this.#watched = { path, inode, watcher };
    } catch {
      // Out of inotify watches, or just removed: the rescan goes on without.
    }
  }

  close(): void {
    this.#watched?.watcher.close();
    this.#watched = null;
  }
}
