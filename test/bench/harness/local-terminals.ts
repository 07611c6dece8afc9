/**
 * tmux clients whose terminal the bench reads: one in a pty of its own on this machine, one at the end of an ssh
 * connection. What they draw is told as it comes, with its moment. Read-only clients: they type and size nothing.
 */
import type { ChildProcess } from 'node:child_process';
import type { Machine } from '../harness/machine.ts';
import type { Agent } from '../places/watched-pair.ts';
import { HEIGHT, WIDTH } from '../places/watched-pair.ts';
import { endChild, startChild } from './children.ts';
import type { LoopbackSshd } from './loopback-sshd.ts';

const attach = (machine: Machine, { socket, name }: Agent): string =>
  `stty cols ${WIDTH} rows ${HEIGHT} -echo; ` +
  `TERM=xterm-256color TMUX_TMPDIR='${machine.paths.tmuxTmpdir}' exec tmux -u -L '${socket}' attach-session -r -t '=${name}'`;

export class DrawnTerminal implements AsyncDisposable {
  bytes = 0;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<(drawn: { bytes: Buffer; atMs: number }) => void>();

  private constructor(argv: readonly string[], machine: Machine) {
    this.#child = startChild(argv, { env: machine.env, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      const atMs = performance.now();
      this.bytes += bytes.length;
      for (const listener of [...this.#listeners]) listener({ bytes, atMs });
    });
  }

  /** `script` holds the pty and passes on what comes out of it: one hop more than a terminal program has. */
  static local(machine: Machine, agent: Agent): DrawnTerminal {
    return new DrawnTerminal(['script', '-qfec', attach(machine, agent), '/dev/null'], machine);
  }

  static overSsh(sshd: LoopbackSshd, machine: Machine, agent: Agent): DrawnTerminal {
    return new DrawnTerminal(sshd.argv(attach(machine, agent)), machine);
  }

  onDrawn(listener: (drawn: { bytes: Buffer; atMs: number }) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endChild(this.#child, 'SIGHUP');
  }
}
