/**
 * A Unix socket that only its owner reaches: its folder is ours and closed to others. Whoever calls holds the lock
 * of this instance, so a socket file at which nobody listens is our own dead predecessor's and is removed.
 */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { FleetError } from '../../src/domain/errors.ts';
import { ownFolder, removeStaleSocket, requireSocketPath } from '../../src/runtime/socket-claim.ts';

/** ALREADY_EXISTS when somebody answers there; FAILED_PRECONDITION when path or folder are not usable. */
export const listenLocal = async (path: string, onSocket: (socket: Socket) => void): Promise<Server> => {
  requireSocketPath(path);
  ownFolder(dirname(path), 'close');
  await removeStaleSocket(path);
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
