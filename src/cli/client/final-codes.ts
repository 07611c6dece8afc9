import type { FleetErrorCode } from '../../domain/errors.ts';

/** Asking again changes nothing. */
export const FINAL: ReadonlySet<FleetErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'UNIMPLEMENTED',
]);
