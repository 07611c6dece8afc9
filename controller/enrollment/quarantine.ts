import { FleetError } from '../../src/domain/errors.ts';
import type { Records } from '../store/records.ts';

/**
 * Puts the host-agents of `host` (of one `user` unless empty) into quarantine, or lets them out. NOT_FOUND when none is
 * enrolled. `host/user` of each, and of those that were not so before; durable when it resolves.
 */
export const quarantineHost = async (
  records: Records,
  { host, user }: { host: string; user: string },
  quarantined: boolean,
): Promise<{ hostAgents: string[]; changed: string[] }> => {
  const found = [...records.identities.entries()].filter(
    ([, record]) =>
      record.kind === 'host' && !record.revoked && record.host === host && (user === '' || record.user === user),
  );
  if (found.length === 0) {
    const what = user === '' ? `host ${host}` : `host-agent ${host}/${user}`;
    throw new FleetError('NOT_FOUND', `no ${what} is enrolled: see "fleet hosts"`);
  }
  const changing = found.filter(([, record]) => (record.quarantined ?? false) !== quarantined);
  const committed = await records.store.commit({
    expect: changing.map(([uri]) => records.identities.expectation(uri)),
    put: changing.map(([uri, record]) => records.identities.writing(uri, { ...record, quarantined })),
  });
  if (committed === null) throw new FleetError('ABORTED', `${host} changed meanwhile: try again`, { retryable: true });
  const names = (each: typeof found): string[] => each.map(([, record]) => `${record.host}/${record.user}`);
  return { hostAgents: names(found), changed: names(changing) };
};
