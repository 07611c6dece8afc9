/** A store in a folder of its own, closed and opened again at will. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from '../../controller/store/sqlite-store.ts';
import { scan } from '../../controller/store/store.ts';

export const bytes = (text: string): Buffer => Buffer.from(text);

export class StoreGround {
  readonly folder = mkdtempSync(join(tmpdir(), 'fleet-store-'));
  readonly path = join(this.folder, 'controller.db');
  store = this.#open();

  /** As another process finds it. */
  reopen(): SqliteStore {
    this.close();
    this.store = this.#open();
    return this.store;
  }

  async keys(prefix: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of scan(this.store, prefix, 3)) found.push(key);
    return found;
  }

  close(): void {
    this.store.stop();
  }

  remove(): void {
    this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #open(): SqliteStore {
    const store = new SqliteStore(this.path);
    store.start();
    return store;
  }
}
