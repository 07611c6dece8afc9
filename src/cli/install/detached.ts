/**
 * Daemons where no user manager runs: detached processes, each with a lock that names it by number and start.
 * Only what the lock names is ever signalled; a number that was used again is left alone.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { sleep } from '../../runtime/sleep.ts';
import { isRunning, type ProcessStamp, stampOf } from './process-stamp.ts';
import { writeIfDifferent } from './write-file.ts';

const Lock = z.object({
  pid: z.int().positive(),
  startTicks: z.string(),
  bootId: z.string(),
  /** What was started: a changed command line means a restart. */
  command: z.array(z.string()).min(1),
  /** Version of what was started; empty where that does not matter. */
  version: z.string(),
});

const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/** The variables of a login, minus those of the terminal and bus that `up` was typed in. */
const loginEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const { TMUX: _, TMUX_PANE: __, DBUS_SESSION_BUS_ADDRESS: ___, NODE_OPTIONS: ____, ...rest } = env;
  return rest;
};

export interface StartOptions {
  /** Start it anew also when nothing differs. */
  restart?: boolean;
  /** Added to the environment of this login. */
  env?: Record<string, string>;
  version?: string;
}

export class DetachedProcess {
  readonly logFile: string;
  readonly #lockFile: string;

  constructor(paths: Paths, name: string) {
    this.logFile = join(paths.state, 'log', `${name}.log`);
    this.#lockFile = join(paths.state, `${name}.lock`);
  }

  /** The running process of our lock, or null. */
  async running(): Promise<z.infer<typeof Lock> | null> {
    const text = await readFile(this.#lockFile, 'utf8').catch(() => null);
    if (text === null) return null;
    const lock = Lock.safeParse(safeJson(text));
    return lock.success && isRunning(lock.data) ? lock.data : null;
  }

  /** Starts it, or starts it anew when its command line differs. Throws UNAVAILABLE when it ends at once. */
  async ensure(command: readonly [string, ...string[]], options: StartOptions = {}) {
    const present = await this.running();
    const { env = {}, version = '' } = options;
    const isSame = present?.command.join('\0') === command.join('\0') && present.version === version;
    if (isSame && !options.restart) return 'unchanged' as const;
    if (present) await this.stop();
    await this.#start(command, env, version);
    return present ? ('restarted' as const) : ('started' as const);
  }

  /** SIGTERM, SIGKILL after a deadline; true when there was something to stop. */
  async stop(): Promise<boolean> {
    const present = await this.running();
    if (present) {
      for (const name of ['SIGTERM', 'SIGKILL'] as const) {
        if (isRunning(present)) signalQuietly(present.pid, name);
        if (await ended(present, STOP_TIMEOUT_MS)) break;
      }
      if (isRunning(present))
        throw new FleetError('INTERNAL', `process ${present.pid} does not end: see ${this.logFile}`);
    }
    await rm(this.#lockFile, { force: true });
    return present !== null;
  }

  async #start(command: readonly [string, ...string[]], env: Record<string, string>, version: string): Promise<void> {
    mkdirSync(dirname(this.logFile), { recursive: true, mode: 0o700 });
    const log = openSync(this.logFile, 'a', 0o600);
    try {
      const child = spawn(command[0], command.slice(1), {
        detached: true,
        stdio: ['ignore', log, log],
        cwd: '/',
        env: { ...loginEnv(process.env), ...env },
      });
      const pid = await new Promise<number>((resolve, reject) => {
        child.once('spawn', () => resolve(child.pid as number));
        child.once('error', reject);
      });
      child.unref();
      const stamp = stampOf(pid);
      if (!stamp) throw new FleetError('UNAVAILABLE', `${command[0]} ended at once: see ${this.logFile}`);
      await writeIfDifferent(this.#lockFile, `${JSON.stringify({ ...stamp, command, version })}\n`, 0o600);
    } finally {
      closeSync(log);
    }
  }
}

const signalQuietly = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It ended between the look and the signal.
  }
};

const ended = async (stamp: ProcessStamp, timeoutMs: number): Promise<boolean> => {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    if (!isRunning(stamp)) return true;
    await sleep(POLL_MS);
  }
  return !isRunning(stamp);
};

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
