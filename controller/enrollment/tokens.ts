/** Join tokens: made for an administrator, kept as a hash, gone a day after they ended. */
import { FleetError } from '../../src/domain/errors.ts';
import { isIdentityName } from '../../src/identity/spiffe-id.ts';
import { formatToken, hashTokenSecret, makeTokenSecret, TOKEN_LIFETIME_MAX_MS } from '../../src/identity/token.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Records } from '../store/records.ts';
import { boundTenant } from '../tenancy/bindings.ts';
import { requireTenant } from '../tenancy/tenants.ts';

/** How long an ended token is remembered, so that a lost reply can be had again. */
const REMEMBERED_MS = 24 * 3_600_000;

export interface TokenWish {
  /** Empty: what the machine calls itself. */
  host: string;
  user: string;
  /** Empty: whose it is bound to be, else the default tenant. */
  tenantId: string;
  /** 0: as long as a token may live. */
  validSeconds: number;
  replace: boolean;
}

/**
 * INVALID_ARGUMENT for an impossible name or time, NOT_FOUND for an unknown tenant, FAILED_PRECONDITION for another than
 * that of its binding. Durable when it resolves.
 */
export const createToken = async (
  wish: TokenWish,
  context: {
    records: Records;
    clock: Clock;
    cell: string;
    fingerprint: string;
    addresses: readonly string[];
    createdBy: string;
  },
): Promise<{ token: string; expiresMs: number }> => {
  const { records, clock } = context;
  for (const [what, name] of Object.entries({ host: wish.host, user: wish.user, tenant: wish.tenantId })) {
    if (name === '' || isIdentityName(name)) continue;
    throw new FleetError('INVALID_ARGUMENT', `${what} ${JSON.stringify(name)}: use 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  if (wish.tenantId !== '') requireTenantFor(records, wish);
  const validMs = wish.validSeconds === 0 ? TOKEN_LIFETIME_MAX_MS : wish.validSeconds * 1_000;
  if (validMs > TOKEN_LIFETIME_MAX_MS) {
    throw new FleetError('INVALID_ARGUMENT', `a token lives at most ${TOKEN_LIFETIME_MAX_MS / 60_000} minutes`);
  }
  const nowMs = clock.nowMs();
  const expiresMs = nowMs + validMs;
  const secret = makeTokenSecret();
  const name = hashTokenSecret(secret);
  const { host, user, replace } = wish;
  const record = { host, user, tenantId: wish.tenantId, expiresMs, replace, createdBy: context.createdBy, used: null };
  const ended = [...records.tokens.entries()].filter(([, token]) => token.expiresMs + REMEMBERED_MS < nowMs);
  await records.store.commit({
    put: [records.tokens.writing(name, record)],
    remove: ended.map(([old]) => records.tokens.keyOf(old)),
  });
  const { cell, fingerprint, addresses } = context;
  return {
    token: formatToken({ cell, host, user, expiresMs, fingerprint, secret, addresses: [...addresses] }),
    expiresMs,
  };
};

const requireTenantFor = (records: Records, { host, user, tenantId }: TokenWish): void => {
  requireTenant(records, tenantId);
  const bound = boundTenant(records, { host, user });
  if (bound === undefined || bound === tenantId) return;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `${host}/${user} is bound to tenant ${bound}: "fleet tenant bind ${tenantId} ${host}/${user}" moves it`,
  );
};
