/**
 * A Unix socket path for one daemon: its folder made and checked (ours, 0700), a lock that names the process,
 * a stale socket removed only under that lock and after a refused connect.
 */
import { lstatSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { FleetError } from '../domain/errors.ts';
import { processStartTicks } from './process-start.ts';

/** Longest path that bind(2) takes on Linux, without the final NUL. */
const MAX_SOCKET_PATH_BYTES = 107;
const PROBE_DEADLINE_MS = 1_000;

/** Dispose to give the path back; only then may another daemon have it. */
export const claimSocket = async (path: string): Promise<Disposable> => {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw new FleetError(
      'INVALID_ARGUMENT',
      `socket path of ${bytes} bytes, at most ${MAX_SOCKET_PATH_BYTES}: ${path}`,
    );
  }
  ownFolder(dirname(path));
  const lock = `${path}.lock`;
  takeLock(lock, path);
  try {
    await removeStale(path);
  } catch (error) {
    rmSync(lock, { force: true });
    throw error;
  }
  return {
    [Symbol.dispose]: () => {
      rmSync(path, { force: true });
      rmSync(lock, { force: true });
    },
  };
};

/** Makes the folder 0700, or throws when it is not ours alone. */
export const ownFolder = (path: string): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `${path} must be a folder of this user with mode 0700; move it away or mend it`,
    );
  }
};

const takeLock = (lock: string, path: string): void => {
  const mine = `${process.pid} ${processStartTicks(process.pid)}\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(lock, mine, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(lock);
    if (holder !== null && processStartTicks(holder.pid) === holder.start) {
      throw new FleetError('ALREADY_EXISTS', `${path} is held by the running process ${holder.pid}`);
    }
    rmSync(lock, { force: true });
  }
  throw new FleetError('ABORTED', `could not take ${lock}: others take it at the same time`);
};

const readHolder = (lock: string): { pid: number; start: string } | null => {
  try {
    const [pid, start] = readFileSync(lock, 'utf8').trim().split(' ');
    return pid && start ? { pid: Number(pid), start } : null;
  } catch {
    return null;
  }
};

const removeStale = async (path: string): Promise<void> => {
  let stat: ReturnType<typeof lstatSync>;
  try {
    stat = lstatSync(path);
  } catch {
    return;
  }
  if (!stat.isSocket()) throw new FleetError('FAILED_PRECONDITION', `${path} is in the way and is no socket`);
  if (await answers(path)) throw new FleetError('ALREADY_EXISTS', `another process listens on ${path}`);
  unlinkSync(path);
};

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_DEADLINE_MS, () => done(true));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
