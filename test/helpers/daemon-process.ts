/** One of our daemons as a process of its own, so that it can be frozen, killed and begun anew. Only this very pid is signalled. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export class DaemonProcess {
  readonly #main: string;
  readonly #args: readonly string[];
  readonly #env: Record<string, string>;
  #child: ChildProcess | null = null;

  /** `main` is its file in the tree. */
  constructor(main: string, args: readonly string[], env: Record<string, string>) {
    this.#main = join(ROOT, main);
    this.#args = args;
    this.#env = env;
  }

  start(): void {
    const env = { PATH: process.env.PATH ?? '', ...this.#env };
    this.#child = spawn(process.execPath, [this.#main, ...this.#args], { env, stdio: 'ignore' });
    this.#child.on('error', () => undefined);
  }

  get runs(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Also a frozen one. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await ended;
  }
}
