/** The end of a gRPC call as a FleetError: trailers, stream resets, and the one place where errno becomes a code. */
import { FleetError, type FleetErrorCode } from '../../domain/errors.ts';
import { REASON_KEY } from '../../wire/errors.ts';
import type { Headers, TransportError } from './transport.ts';

/** gRPC's status numbers in their order; 0 is OK, 2 (UNKNOWN) is a fault of the other side. */
const CODES: readonly (FleetErrorCode | null)[] = [
  null,
  'CANCELLED',
  'INTERNAL',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** Why a controller refuses a certificate that its cell issued, for whoever holds it (wire/errors.ts). */
const REASONS: Readonly<Record<string, string>> = {
  revoked: 'revoked: the controller knows this identity no more; asking again changes nothing, a new invitation does',
  certificate_expired: 'certificate expired by the controller’s clock: set the clock of this machine, then try again',
  not_yet_valid: 'certificate not valid yet by the controller’s clock: one of the two clocks is wrong',
};

/** null: the call ended well. Trailers without a status mean that the call was cut. */
export const errorOfTrailers = (trailers: Headers | null): FleetError | null => {
  const status = trailers?.['grpc-status'];
  if (status === undefined) return new FleetError('UNAVAILABLE', 'the stream broke before its end');
  if (status === '0') return null;
  const code = CODES[Number(status)] ?? 'INTERNAL';
  const reason = REASONS[trailers?.[REASON_KEY] ?? ''];
  if (reason !== undefined) return new FleetError(code, reason);
  return new FleetError(code, percentDecoded(trailers?.['grpc-message'] ?? '') || `failed with ${code}`);
};

const percentDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const HTTP_OK = '200';

/** What answered is no gRPC service; null when it is. */
export const errorOfResponse = (headers: Headers): FleetError | null => {
  const status = headers[':status'];
  if (status !== HTTP_OK) return new FleetError('UNAVAILABLE', `answered with HTTP status ${status ?? 'none'}`);
  const type = headers['content-type'] ?? '';
  if (!type.startsWith('application/grpc')) return new FleetError('INTERNAL', `answered with ${type || 'no type'}`);
  return null;
};

/** HTTP/2 error codes that mean more than "broken" (RFC 9113, 7). CANCEL is none: our own never comes here. */
const RESETS: Record<number, FleetErrorCode> = {
  7: 'UNAVAILABLE',
  11: 'RESOURCE_EXHAUSTED',
  12: 'PERMISSION_DENIED',
};

/** `what` names the service, `mend` says what to do when it is not there. */
export const errorOfTransport = (
  error: TransportError,
  where: { what: string; address: string; mend: string },
): FleetError => {
  const at = `${where.what} at ${where.address}`;
  switch (error.errno) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new FleetError('UNAVAILABLE', `no ${at}: ${where.mend}`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new FleetError('PERMISSION_DENIED', `${at} belongs to another user: ask as that user`, { cause: error });
    case 'ENOTSOCK':
      return new FleetError('UNAVAILABLE', `${where.address} is no socket: ${where.mend}`, { cause: error });
    default: {
      const code = RESETS[error.resetCode] ?? 'UNAVAILABLE';
      return new FleetError(code, `${at} broke the connection (${error.errno ?? error.message})`, { cause: error });
    }
  }
};
