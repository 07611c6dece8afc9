/** Join tokens of hosts that can still be used: told without their secrets, and withdrawn. People are invited in operators.ts. */
import { FleetError } from '../../src/domain/errors.ts';
import type { OpenToken } from '../../src/wire/gen/fleet/v1/admin_messages.ts';
import type { Records, TokenRecord } from '../store/records.ts';

type Held = [name: string, token: TokenRecord];

const openTokens = ({ tokens }: Records, nowMs: number): Held[] =>
  [...tokens.entries()].filter(
    ([, { operator, used, expiresMs }]) => operator === undefined && used === null && nowMs < expiresMs,
  );

/**
 * Seen once to be over, a token is over for ever: clocks are set back. Of hosts and people alike, where nobody used it. Durable
 * when it resolves.
 */
export const endOverTokens = async ({ tokens, store }: Records, nowMs: number): Promise<void> => {
  const over = [...tokens.entries()]
    .filter(([, { used, expiresMs }]) => used === null && nowMs >= expiresMs)
    .map(([name]) => name);
  if (over.length === 0) return;
  const expect = over.map((name) => tokens.expectation(name));
  await store.commit({ expect, remove: over.map((name) => tokens.keyOf(name)) });
};

/** The one that is over first comes first. */
export const listOpenTokens = (records: Records, nowMs: number): OpenToken[] =>
  openTokens(records, nowMs)
    .map(([, { host, user, tenantId, expiresMs, replace, createdBy }]) => ({
      host,
      user,
      tenantId,
      expiresMs,
      replace,
      createdBy,
    }))
    .sort((a, b) => a.expiresMs - b.expiresMs);

/**
 * Those for that host (empty: those that name none), of one `user` unless that is empty. NOT_FOUND when there is none, ABORTED
 * when one is used at this moment. How many; durable when it resolves.
 */
export const withdrawTokens = async (
  records: Records,
  { host, user }: { host: string; user: string },
  nowMs: number,
): Promise<number> => {
  const { tokens, store } = records;
  const found = openTokens(records, nowMs).filter(
    ([, token]) => token.host === host && (user === '' || token.user === user),
  );
  if (found.length === 0) {
    const whom = host === '' ? 'any host' : `${host}${user === '' ? '' : `/${user}`}`;
    throw new FleetError('NOT_FOUND', `no join token for ${whom} can be used: see "fleet token ls"`);
  }
  const expect = found.map(([name]) => tokens.expectation(name));
  const committed = await store.commit({ expect, remove: found.map(([name]) => tokens.keyOf(name)) });
  if (committed !== null) return found.length;
  throw new FleetError('ABORTED', 'a token was used at this moment: see "fleet hosts", then try again');
};
