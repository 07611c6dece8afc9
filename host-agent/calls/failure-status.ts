import { randomBytes } from 'node:crypto';
import type { Logger } from '../../src/runtime/logger.ts';
import { type GrpcStatus, toGrpcStatus } from '../../src/wire/errors.ts';

/** What a failed call ends with: a FleetError in its own words, anything else under a reference into the log. `call` names it there. */
export const failureStatus = (error: unknown, log: Logger, call: Readonly<Record<string, string>>): GrpcStatus => {
  const reference = randomBytes(6).toString('hex');
  const status = toGrpcStatus(error, reference);
  if (status.details.includes(reference)) log.error({ err: error, ...call, reference }, 'call failed unexpectedly');
  return status;
};
