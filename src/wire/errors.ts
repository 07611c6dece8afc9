/**
 * FleetError and gRPC status, both ways. Only a FleetError's own words travel; anything else becomes INTERNAL with
 * a reference to the log.
 */
import { FleetError, type FleetErrorCode } from '../domain/errors.ts';

/** Codes of the gRPC specification; OK and UNKNOWN have no FleetError. */
export const GRPC_CODES: Readonly<Record<FleetErrorCode, number>> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

const NAMES = new Map(Object.entries(GRPC_CODES).map(([name, code]) => [code, name as FleetErrorCode]));

/** Trailing metadata that says, from a closed set, why a proven identity is refused (see `REFUSAL_REASONS`). */
export const REASON_KEY = 'fleet-reason';

/** Trailing metadata of every status that a daemon of ours said itself: without it, the line or the library made it. */
export const SAID_KEY = 'fleet-said';

/** Told only to holders of a certificate that the cell, or a peer of it, issued; strangers hear nothing. */
const REFUSAL_REASONS = [
  'certificate_expired',
  'not_yet_valid',
  'revoked',
  'controller_stopping',
  'grant_revoked',
  'grant_expired',
  'grants_changed',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface GrpcStatus {
  code: number;
  details: string;
}

/** `reference` names the log record in which the operator finds an INTERNAL failure's cause. */
export const toGrpcStatus = (error: unknown, reference: string): GrpcStatus =>
  error instanceof FleetError && error.code !== 'INTERNAL'
    ? // A lone surrogate would make the library throw while it encodes the text.
      { code: GRPC_CODES[error.code], details: error.message.toWellFormed() }
    : { code: GRPC_CODES.INTERNAL, details: `internal error; the log has the cause under ${reference}` };

interface StatusLike {
  code?: unknown;
  details?: unknown;
  message?: unknown;
  metadata?: { get(key: string): unknown[] };
}

/** What a failed call means here; the original is its cause. */
export const fromGrpcError = (error: unknown): FleetError => {
  if (error instanceof FleetError) return error;
  const { code, details, message } = error as StatusLike;
  const name = NAMES.get(code as number) ?? 'INTERNAL';
  const text = typeof details === 'string' && details !== '' ? details : String(message ?? error);
  return new FleetError(name, text, { cause: error });
};

/** The reason that came with a refusal, if it is one that we know. */
export const refusalReasonOf = (error: unknown): RefusalReason | null => {
  const status = (error instanceof FleetError ? error.cause : error) as StatusLike | undefined;
  const said = status?.metadata?.get(REASON_KEY)[0];
  return REFUSAL_REASONS.find((reason) => reason === said) ?? null;
};
