/** Programs that the bench starts: each ends with the bench, however that ends, and is ended by its pid only. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

const SETPRIV = '/usr/bin/setpriv';
const END_TIMEOUT_MS = 8_000;

/** Where util-linux is there, the kernel ends the program with us even when we are killed. */
export const startChild = (argv: readonly string[], options: SpawnOptions = {}): ChildProcess => {
  const tied = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'TERM', '--', ...argv] : argv;
  return spawn(tied[0] as string, tied.slice(1), { stdio: 'ignore', ...options });
};

export const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Asks it to end, and ends it when it does not. */
export const endChild = async (child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
  if (hasEnded(child) || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  await ended;
  clearTimeout(late);
};
