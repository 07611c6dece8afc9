/**
 * A Unix socket that only its owner reaches: its folder is ours and closed to others. Whoever calls holds the lock
 * of this instance, so a socket file at which nobody listens is our own dead predecessor's and is removed.
 */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { FleetError } from '../../src/domain/errors.ts';

/** sun_path of Linux, without its final NUL. */
const PATH_MAX_BYTES = 107;

const requireOwnFolder = (folder: string): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new FleetError('FAILED_PRECONDITION', `${folder} is not a folder of this user: remove it`);
  }
  if (stat.mode & 0o077) chmodSync(folder, 0o700);
};

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer within 2 s')));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(new FleetError('FAILED_PRECONDITION', `${path}: ${error.message}`, { cause: error }));
    });
  });

const clearStale = async (path: string): Promise<void> => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new FleetError('FAILED_PRECONDITION', `${path} is no socket: remove it`);
  if (await answers(path)) throw new FleetError('ALREADY_EXISTS', `somebody listens at ${path} already`);
  unlinkSync(path);
};

/** ALREADY_EXISTS when somebody answers there; FAILED_PRECONDITION when path or folder are not usable. */
export const listenLocal = async (path: string, onSocket: (socket: Socket) => void): Promise<Server> => {
  const bytes = Buffer.byteLength(path);
  if (bytes > PATH_MAX_BYTES) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `socket path ${path} has ${bytes} bytes, ${PATH_MAX_BYTES} is the most: use a shorter --instance name`,
    );
  }
  requireOwnFolder(dirname(path));
  await clearStale(path);
  const server = createServer(onSocket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new FleetError('FAILED_PRECONDITION', `cannot listen at ${path}: ${cause.message}`, { cause })),
    );
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
};
