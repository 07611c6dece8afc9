import { FleetError } from '../../src/domain/errors.ts';
import type { Records } from '../store/records.ts';

/**
 * Revokes the host-agents of `host` (of one `user` unless empty); their names and machines are free from then on. Unused
 * tokens for them are void: another one is made for whoever shall be let in again. NOT_FOUND when none is enrolled. The
 * SPIFFE ids, durable when it resolves.
 */
export const revokeHost = async (records: Records, host: string, user: string): Promise<string[]> => {
  const found = [...records.identities.entries()].filter(
    ([, { kind, host: name, user: owner, revoked }]) =>
      kind === 'host' && !revoked && name === host && (user === '' || owner === user),
  );
  if (found.length === 0) {
    const what = user === '' ? `host ${host}` : `host-agent ${host}/${user}`;
    throw new FleetError('NOT_FOUND', `no ${what} is enrolled: see "fleet hosts"`);
  }
  const names = found.map(([, record]) => `${record.host}/${record.user}`);
  const tokens = [...records.tokens.entries()].filter(
    ([, token]) => token.used === null && token.host === host && (user === '' || ['', user].includes(token.user)),
  );
  await records.store.commit({
    put: found.map(([uri, record]) => records.identities.writing(uri, { ...record, revoked: true })),
    // Whoever bears its name next is no heir to what was allowed to it, nor to whose it was.
    remove: [
      ...names.flatMap((name) => [records.ceilings.keyOf(name), records.bindings.keyOf(name)]),
      ...tokens.map(([token]) => records.tokens.keyOf(token)),
    ],
  });
  return found.map(([uri]) => uri);
};
