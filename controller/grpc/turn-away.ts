/** A connection that is one too many: whatever is asked on it is answered with why, and it ends. */
import { constants, performServerHandshake } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { FleetError } from '../../src/domain/errors.ts';
import { GRPC_CODES, SAID_KEY } from '../../src/wire/errors.ts';

export const turnAway = (socket: TLSSocket, { code, message }: FleetError, lifetimeMs: number): void => {
  const late = setTimeout(() => socket.destroy(), lifetimeMs);
  socket.on('close', () => clearTimeout(late));
  const session = performServerHandshake(socket, { maxSessionMemory: 1 });
  session.on('error', () => socket.destroy());
  session.on('stream', (stream) => {
    stream.on('error', () => stream.destroy());
    const end = {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(GRPC_CODES[code]),
      'grpc-message': encodeURI(message),
      [SAID_KEY]: '1',
    };
    stream.respond(end, { endStream: true });
    stream.close(constants.NGHTTP2_NO_ERROR);
    session.close();
  });
};
