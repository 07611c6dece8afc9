/**
 * Gives a terminal back when its program could not, because it was killed at once: a `sh` of a megabyte that waits for
 * the end of a pipe. It does nothing where the program left by itself. Killed together with it, nobody gives back.
 *
 * A killed program leaves the terminal raw and on its alternate screen; a shell with job control mends only the first.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';

// The settings are put back only while nobody else has taken the terminal: a shell that did has set its own.
const scriptOf = (leave: string): string => `trap '' HUP INT QUIT TERM TSTP TTIN TTOU
saved=$(stty -g <&3 2>/dev/null)
echo ready
state=off
while read -r word; do state=$word; done
[ "$state" = on ] || exit 0
read -r _ _ _ _ group _ _ front _ </proc/self/stat
[ "$group" != "$front" ] || [ -z "$saved" ] || stty "$saved" <&3
printf '${leave.replaceAll('\x1b', '\\033')}' >&4`;

/** Saving takes milliseconds; a machine that needs longer goes without. */
const READY_TIMEOUT_MS = 2_000;

/** Typed as if it had none; every terminal has one. */
const fdOf = (stream: unknown): number => (stream as { fd: number }).fd;

export class TerminalGuard implements Disposable {
  #child: ChildProcessByStdio<Writable, Readable, null> | null = null;

  /** Resolves once the terminal's settings are saved, or it is sure that they are not. Never rejects. */
  async start(stdin: ReadStream, stdout: WriteStream, leave: string): Promise<void> {
    if (!stdin.isTTY || !stdout.isTTY) return;
    const child = spawn('/bin/sh', ['-c', scriptOf(leave)], {
      stdio: ['pipe', 'pipe', 'ignore', fdOf(stdin), fdOf(stdout)],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      cwd: '/',
    }) as ChildProcessByStdio<Writable, Readable, null>;
    this.#child = child;
    child.stdin.on('error', () => {});
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, READY_TIMEOUT_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      child.once('error', done);
      child.once('exit', done);
      child.stdout.once('data', done);
    });
    child.stdout.destroy();
    child.unref();
    (child.stdin as Partial<Socket>).unref?.();
  }

  /** Whether the terminal has to be given back. */
  tell(isTaken: boolean): void {
    this.#child?.stdin.write(isTaken ? 'on\n' : 'off\n');
  }

  [Symbol.dispose](): void {
    this.#child?.stdin.end();
    this.#child = null;
  }
}
