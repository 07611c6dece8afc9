/**
 * A host's disk: a layer of its own, of bounded size, on the shared root. It survives power-off and the pulled cord.
 * Full means that the file system says so, to every program of that host.
 */
import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run-command.ts';

export class Disk {
  /** The host's `/`, as this machine sees it. Absolute links in it point outside: write through the host itself. */
  readonly root: string;
  readonly #layer: string;
  readonly #sizeMiB: number;

  constructor(folder: string, sizeMiB: number) {
    this.root = join(folder, 'root');
    this.#layer = join(folder, 'layer');
    this.#sizeMiB = sizeMiB;
  }

  async mount(lower: string): Promise<void> {
    const [upper, work] = [join(this.#layer, 'upper'), join(this.#layer, 'work')];
    mkdirSync(this.root, { recursive: true });
    mkdirSync(this.#layer);
    await run(['mount', '-t', 'tmpfs', '-o', `size=${this.#sizeMiB}m,mode=755`, 'fleet-testbed', this.#layer]);
    mkdirSync(upper);
    mkdirSync(work);
    const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    await run(['mount', '-t', 'overlay', '-o', layers, 'fleet-testbed', this.root]);
  }

  /** No byte more can be written, until `free`. */
  async fill(): Promise<void> {
    const { bsize, blocks, bfree } = await statfs(this.#layer);
    await this.#resize(`${Math.max(1, blocks - bfree) * bsize}`);
  }

  async free(): Promise<void> {
    await this.#resize(`${this.#sizeMiB}m`);
  }

  async #resize(size: string): Promise<void> {
    await run(['mount', '-o', `remount,size=${size}`, this.#layer]);
  }
}
