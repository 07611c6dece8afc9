import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Real tmux servers in a private folder, ended and removed with it; the user's own sockets are never touched. */
export class PrivateTmux {
  readonly tmpdir = mkdtempSync(join(tmpdir(), 'fleet-tmux-'));
  readonly folder = join(this.tmpdir, `tmux-${process.getuid!()}`);
  readonly #pids = new Map<number, string>();

  socket(name: string): string {
    return join(this.folder, name);
  }

  /** Runs one tmux command on the server of that name and returns what it printed. */
  run(name: string, ...args: string[]): string {
    const { TMUX: _nested, ...env } = process.env;
    return execFileSync('tmux', ['-u', '-L', name, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...env, TMUX_TMPDIR: this.tmpdir },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
    }).trimEnd();
  }

  /** Starts a session, and the server if there is none; returns the server's pid. */
  session(name: string, session: string, command = 'sleep 1000', ...args: string[]): number {
    this.run(name, 'new-session', '-d', '-s', session, '-x', '100', '-y', '30', ...args, command);
    const pid = Number(this.run(name, 'list-sessions', '-F', '#{pid}').split('\n')[0]);
    this.#pids.set(pid, name);
    return pid;
  }

  close(): void {
    for (const [pid, name] of this.#pids) {
      try {
        process.kill(pid, 'SIGCONT');
        this.run(name, 'kill-server');
      } catch {
        // Ended by its test.
      }
    }
    rmSync(this.tmpdir, { recursive: true, force: true });
  }
}
