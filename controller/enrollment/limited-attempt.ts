import { FleetError } from '../../src/domain/errors.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { actorOf, type Caller } from '../tenancy/caller.ts';
import type { FailureLimit } from './failure-limit.ts';

/** What a stranger tries: refused while it failed too often, and each failure counted and noted. */
export const limitedAttempt = async <T>(
  { limit, audit }: { limit: FailureLimit; audit: AuditLog },
  caller: Caller,
  verb: string,
  work: () => Promise<T>,
): Promise<T> => {
  limit.check(caller.peer);
  try {
    return await work();
  } catch (error) {
    const told = error instanceof FleetError ? error.message : 'internal error';
    if (error instanceof FleetError && error.code !== 'UNAVAILABLE') limit.failed(caller.peer);
    audit.note({ actor: actorOf(caller), verb, target: '', outcome: 'denied', reason: told });
    throw error;
  }
};
