/** Types single characters into a pane through a tmux client that is there already: no process is started for a key. */
import type { ChildProcess } from 'node:child_process';
import type { Agent } from '../places/watched-pair.ts';
import { endChild, startChild } from './children.ts';
import type { Machine } from './machine.ts';

export class WarmTypist implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #target: string;

  private constructor(child: ChildProcess, target: string) {
    this.#child = child;
    this.#target = target;
  }

  /** Its client sizes nothing and is told nothing. */
  static start(machine: Machine, { socket, name }: Agent): WarmTypist {
    const attach = ['-C', 'attach-session', '-t', `=${name}`, '-f', 'no-output,ignore-size'];
    const argv = ['tmux', '-u', '-L', socket, ...attach];
    const env = { ...machine.env, TMUX_TMPDIR: machine.paths.tmuxTmpdir, TERM: 'xterm-256color' };
    const child = startChild(argv, { env, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdout?.resume();
    return new WarmTypist(child, `=${name}:`);
  }

  type(character: string): void {
    this.#child.stdin?.write(`send-keys -t '${this.#target}' -l '${character}'\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await endChild(this.#child);
  }
}
