import type { Records } from '../store/records.ts';
import { isTenant } from './tenants.ts';

/**
 * A store of a version before there were tenant records: who is enrolled for a tenant, or has a token for it, made it
 * exist, and is bound to it from now on. Changes nothing in any other store.
 */
export const adoptTenants = async (records: Records, nowMs: number): Promise<void> => {
  const { identities, tokens, tenants, bindings, store } = records;
  const hosts = [...identities.entries()]
    .map(([, record]) => record)
    .filter(({ kind, revoked }) => kind === 'host' && !revoked);
  const pending = [...tokens.entries()]
    .map(([, token]) => token)
    .filter(({ used, expiresMs }) => used === null && expiresMs > nowMs);
  const named = [...hosts, ...pending].map(({ tenantId }) => tenantId).filter((tenantId) => tenantId !== '');
  const unknown = [...new Set(named)].filter((tenantId) => !isTenant(records, tenantId));
  const unbound = hosts.filter(
    ({ tenantId, host, user }) => unknown.includes(tenantId) && !bindings.get(`${host}/${user}`),
  );
  if (unknown.length === 0) return;
  const added = { addedMs: nowMs, addedBy: 'an earlier version' };
  await store.commit({
    put: [
      ...unknown.map((tenantId) => tenants.writing(tenantId, added)),
      ...unbound.map(({ tenantId, host, user }) =>
        bindings.writing(`${host}/${user}`, { tenantId, boundMs: nowMs, boundBy: added.addedBy }),
      ),
    ],
  });
};
