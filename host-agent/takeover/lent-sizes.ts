/** Which windows have a size that is lent, on disk: one small file each, 0600, written before the size changes. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';

const lentSizeSchema = z.strictObject({
  socket: z.string(),
  serverPid: z.number(),
  /** Seconds since the epoch, as tmux says it: with the pid it tells one server from another at the same socket. */
  serverStart: z.number(),
  paneId: z.string(),
  windowId: z.string(),
  /** The window's own option; empty where it inherits. */
  windowSize: z.string(),
  /** Of the window, before. */
  width: z.number(),
  height: z.number(),
  /** What it was given. */
  lentWidth: z.number(),
  lentHeight: z.number(),
});

export type LentSize = z.infer<typeof lentSizeSchema>;

export class LentSizes {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Durable before it resolves, as far as a rename is. */
  async keep(lent: LentSize): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#pathOf(lent);
    await writeFile(`${path}.new`, JSON.stringify(lent), { mode: 0o600, flush: true });
    await chmod(`${path}.new`, 0o600);
    await rename(`${path}.new`, path);
  }

  async forget(lent: LentSize): Promise<void> {
    await rm(this.#pathOf(lent), { force: true });
  }

  /** A file that cannot be read as a record is dropped. */
  async all(): Promise<LentSize[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const records = names.filter((name) => name.endsWith('.json'));
    const found = await Promise.all(records.map((name) => this.#read(join(this.#folder, name))));
    return found.filter((lent) => lent !== null);
  }

  async #read(path: string): Promise<LentSize | null> {
    try {
      return lentSizeSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch {
      await rm(path, { force: true });
      return null;
    }
  }

  #pathOf({ socket, serverPid, paneId }: LentSize): string {
    const name = createHash('sha256').update(`${socket}\n${serverPid}\n${paneId}`).digest('hex').slice(0, 32);
    return join(this.#folder, `${name}.json`);
  }
}
