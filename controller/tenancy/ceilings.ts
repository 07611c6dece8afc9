/**
 * What callers of a host may do beyond their own host and user. Every agent there can call as its user, so the
 * default is nothing; an administrator widens it for a host-agent, and the host's own policy still has the last word.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Records } from '../store/records.ts';
import { GRANTABLE_VERBS, type GrantableVerb } from './caller.ts';

export const ceilingOf = (records: Records, host: string, user: string): GrantableVerb[] => {
  const allowed = records.ceilings.get(`${host}/${user}`)?.verbs ?? [];
  return GRANTABLE_VERBS.filter((verb) => allowed.includes(verb));
};

/** INVALID_ARGUMENT naming the first verb that cannot be allowed. */
export const parseGrantableVerbs = (verbs: readonly string[]): GrantableVerb[] => {
  const unknown = verbs.find((verb) => !GRANTABLE_VERBS.includes(verb as GrantableVerb));
  if (unknown !== undefined) {
    const known = GRANTABLE_VERBS.join(', ');
    throw new FleetError('INVALID_ARGUMENT', `verb ${JSON.stringify(unknown)} cannot be allowed; known: ${known}`);
  }
  return GRANTABLE_VERBS.filter((verb) => verbs.includes(verb));
};

/** Replaces what is allowed; an empty list goes back to the default. Durable when it resolves. */
export const allowVerbs = async (
  records: Records,
  hostAgents: readonly { host: string; user: string }[],
  verbs: readonly GrantableVerb[],
): Promise<void> => {
  const names = hostAgents.map(({ host, user }) => `${host}/${user}`);
  await records.store.commit(
    verbs.length === 0
      ? { remove: names.map((name) => records.ceilings.keyOf(name)) }
      : { put: names.map((name) => records.ceilings.writing(name, { verbs: [...verbs] })) },
  );
};
