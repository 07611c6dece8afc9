/**
 * A Unix socket path for one daemon: its folder made and checked (ours, 0700), a lock that names the process,
 * a stale socket removed only under that lock and after a refused connect.
 */
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, type Stats, unlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { FleetError } from '../domain/errors.ts';
import { processStartTicks } from './process-start.ts';

/** Longest path that bind(2) takes on Linux, without the final NUL. */
const MAX_SOCKET_PATH_BYTES = 107;
const PROBE_DEADLINE_MS = 1_000;

/** Dispose to give the path back; only then may another daemon have it. */
export const claimSocket = async (path: string): Promise<Disposable> => {
  requireSocketPath(path);
  ownFolder(dirname(path));
  const lock = `${path}.lock`;
  takeLock(lock, path);
  try {
    await removeStaleSocket(path);
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

/** Throws FAILED_PRECONDITION for a path that no socket can have. */
export const requireSocketPath = (path: string): void => {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `socket path ${path} has ${bytes} bytes, ${MAX_SOCKET_PATH_BYTES} is the most: use a shorter --instance name`,
  );
};

/** Makes the folder 0700. One that is ours and open to others is refused, or closed to them; another's is refused. */
export const ownFolder = (path: string, open: 'refuse' | 'close' = 'refuse'): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (open === 'close' && isOwnFolder(lstatSync(path))) chmodSync(path, 0o700);
  const stat = lstatSync(path);
  if (!isOwnFolder(stat) || (stat.mode & 0o077) !== 0) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `${path} must be a folder of this user with mode 0700; move it away or mend it`,
    );
  }
};

const isOwnFolder = (stat: Stats): boolean => stat.isDirectory() && stat.uid === process.getuid?.();

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

/**
 * Removes what a dead predecessor left at a path that whoever calls holds a lock for. ALREADY_EXISTS when somebody
 * listens there, FAILED_PRECONDITION when it is no socket, or cannot be asked.
 */
export const removeStaleSocket = async (path: string): Promise<void> => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket())
    throw new FleetError('FAILED_PRECONDITION', `${path} is in the way and is no socket: remove it`);
  if (await answers(path)) throw new FleetError('ALREADY_EXISTS', `another process listens on ${path}`);
  unlinkSync(path);
};

/** Only a refused connect says that nobody is there: one that hangs has somebody who is busy. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    const done = (settle: () => void): void => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(PROBE_DEADLINE_MS, () => done(() => resolve(true)));
    socket.once('connect', () => done(() => resolve(true)));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done(() => {
        if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
        else reject(new FleetError('FAILED_PRECONDITION', `${path}: ${error.message}`, { cause: error }));
      }),
    );
  });
