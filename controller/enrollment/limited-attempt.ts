import { FleetError } from '../../src/domain/errors.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { actorOf, type Caller } from '../tenancy/caller.ts';
import type { FailureLimit } from './failure-limit.ts';

/**
 * What a stranger tries: refused while it failed too often, and each failure counted and noted. Whoever has proven an
 * identity is not held up by strangers, who would else stop every renewal.
 */
export const limitedAttempt = async <T>(
  { limit, audit }: { limit: FailureLimit; audit: AuditLog },
  caller: Caller,
  verb: string,
  work: () => Promise<T>,
): Promise<T> => {
  const isStranger = caller.kind === 'none';
  if (isStranger) limit.check(caller.peer);
  try {
    return await work();
  } catch (error) {
    const told = error instanceof FleetError ? error.message : 'internal error';
    if (isStranger && error instanceof FleetError && error.code !== 'UNAVAILABLE') limit.failed(caller.peer);
    audit.note({ actor: actorOf(caller), verb, target: '', outcome: 'denied', reason: told });
    throw error;
  }
};
