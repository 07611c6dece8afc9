/** Join tokens: made for an administrator, kept as a hash, gone a day after they ended. */
import { FleetError } from '../../src/domain/errors.ts';
import { isIdentityName } from '../../src/identity/spiffe-id.ts';
import { formatToken, hashTokenSecret, makeTokenSecret, TOKEN_LIFETIME_MAX_MS } from '../../src/identity/token.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Records, TokenRecord } from '../store/records.ts';
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

export interface TokenContext {
  records: Records;
  clock: Clock;
  cell: string;
  fingerprint: string;
  addresses: readonly string[];
  createdBy: string;
}

/**
 * Of a host. INVALID_ARGUMENT for an impossible name or time, NOT_FOUND for an unknown tenant, FAILED_PRECONDITION for
 * another than that of its binding. Durable when it resolves.
 */
export const createToken = async (
  wish: TokenWish,
  context: TokenContext,
): Promise<{ token: string; expiresMs: number }> => {
  for (const [what, name] of Object.entries({ host: wish.host, user: wish.user, tenant: wish.tenantId })) {
    if (name === '' || isIdentityName(name)) continue;
    throw new FleetError('INVALID_ARGUMENT', `${what} ${JSON.stringify(name)}: use 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  if (wish.tenantId !== '') requireTenantFor(context.records, wish);
  const { host, user, tenantId, replace, validSeconds } = wish;
  return await issueToken({ host, user, tenantId, replace }, validSeconds, context);
};

/** What it lets its user become is in the record alone. `validSeconds` 0: as long as a token may live. */
export const issueToken = async (
  wish: Omit<TokenRecord, 'expiresMs' | 'createdBy' | 'used'>,
  validSeconds: number,
  context: TokenContext,
): Promise<{ token: string; expiresMs: number }> => {
  const { records, clock } = context;
  const validMs = validSeconds === 0 ? TOKEN_LIFETIME_MAX_MS : validSeconds * 1_000;
  if (validMs > TOKEN_LIFETIME_MAX_MS) {
    throw new FleetError('INVALID_ARGUMENT', `a token lives at most ${TOKEN_LIFETIME_MAX_MS / 60_000} minutes`);
  }
  const nowMs = clock.nowMs();
  const expiresMs = nowMs + validMs;
  const secret = makeTokenSecret();
  const name = hashTokenSecret(secret);
  const record = { ...wish, expiresMs, createdBy: context.createdBy, used: null };
  const ended = [...records.tokens.entries()].filter(
    ([, token]) => token.expiresMs + REMEMBERED_MS < nowMs || isReplaced(token, wish),
  );
  await records.store.commit({
    put: [records.tokens.writing(name, record)],
    remove: ended.map(([old]) => records.tokens.keyOf(old)),
  });
  const { cell, fingerprint, addresses } = context;
  const { host, operator } = wish;
  const words = { cell, host, user: operator?.name ?? wish.user, expiresMs, fingerprint, secret };
  const kind = operator === undefined ? 'host' : 'operator';
  return { token: formatToken({ ...words, addresses: [...addresses] }, kind), expiresMs };
};

/** A person has one invitation that can be used, the newest: who corrects one has not left the other open. */
const isReplaced = ({ operator, used }: TokenRecord, wish: Pick<TokenRecord, 'operator'>): boolean =>
  operator !== undefined && used === null && operator.name === wish.operator?.name;

const requireTenantFor = (records: Records, { host, user, tenantId }: TokenWish): void => {
  requireTenant(records, tenantId);
  const bound = boundTenant(records, { host, user });
  if (bound === undefined || bound === tenantId) return;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `${host}/${user} is bound to tenant ${bound}: "fleet tenant bind ${tenantId} ${host}/${user}" moves it`,
  );
};
