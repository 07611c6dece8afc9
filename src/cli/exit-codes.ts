import type { FleetErrorCode } from '../domain/errors.ts';

/** PRODUCT.md, "Exit codes". */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  notFound: 4,
  unreachable: 5,
  notPermitted: 6,
  timedOut: 7,
  refused: 8,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const exitCodeOf: Record<FleetErrorCode, ExitCode> = {
  CANCELLED: EXIT.failed,
  INVALID_ARGUMENT: EXIT.usage,
  OUT_OF_RANGE: EXIT.usage,
  DEADLINE_EXCEEDED: EXIT.timedOut,
  NOT_FOUND: EXIT.notFound,
  ALREADY_EXISTS: EXIT.refused,
  FAILED_PRECONDITION: EXIT.refused,
  ABORTED: EXIT.refused,
  PERMISSION_DENIED: EXIT.notPermitted,
  UNAUTHENTICATED: EXIT.notPermitted,
  RESOURCE_EXHAUSTED: EXIT.failed,
  UNIMPLEMENTED: EXIT.failed,
  INTERNAL: EXIT.failed,
  DATA_LOSS: EXIT.failed,
  UNAVAILABLE: EXIT.unreachable,
};

/** What an exit code of a `fleet` on another machine says of its failure. */
export const errorCodeOf = (exitCode: number | null): FleetErrorCode => {
  switch (exitCode) {
    case EXIT.usage:
      return 'INVALID_ARGUMENT';
    case EXIT.notFound:
      return 'NOT_FOUND';
    case EXIT.unreachable:
      return 'UNAVAILABLE';
    case EXIT.notPermitted:
      return 'PERMISSION_DENIED';
    case EXIT.timedOut:
      return 'DEADLINE_EXCEEDED';
    case EXIT.refused:
      return 'FAILED_PRECONDITION';
    default:
      return 'INTERNAL';
  }
};
