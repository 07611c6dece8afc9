/** gRPC's canonical codes, by name: the one vocabulary of failure from a source to an exit code. */
export type FleetErrorCode =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED';

/**
 * An operational failure that a person can act on. The message says what was wrong, where, and what to do,
 * in one line; `retryable` means that the same call may succeed later without anybody changing anything.
 */
export class FleetError extends Error {
  readonly code: FleetErrorCode;
  readonly retryable: boolean;

  constructor(code: FleetErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.name = 'FleetError';
    this.code = code;
    this.retryable = options.retryable ?? (code === 'UNAVAILABLE' || code === 'DEADLINE_EXCEEDED');
  }
}

/** A broken invariant of our own: never caught to be handled, always worth a report. */
export class BugError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(`bug in fleet: ${message}`, options);
    this.name = 'BugError';
  }
}
