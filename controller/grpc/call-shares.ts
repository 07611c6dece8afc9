/**
 * How much of this controller one caller may hold open at once: a peer cell, whichever of its certificates calls, a part of
 * what one host carries; an identity of this cell, more than all that one host's callers can ask through its socket.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { AccessRule } from './access.ts';

/** Calls to hosts, of which each carries so many of peers and no more (`PEERS_AT_HOST`); rows and what it asks of itself. */
export const PEER_SHARES = { calls: 64, rows: 16 };
/** Its line and its renewals are apart, so that calls never cost a host its line. */
export const IDENTITY_SHARES = { calls: 1_024, line: 16 };

interface Share {
  name: string;
  limit: number;
  /** For words. */
  who: string;
}

/** Of whom none is counted: strangers, whose connections are few, and whoever reaches the admin socket. */
const shareOf = ({ cell, spiffeId }: Caller, { onBehalf, verb }: AccessRule): Share | null => {
  if (cell !== '') {
    const share = onBehalf ? 'calls' : 'rows';
    return { name: `${share} ${cell}`, limit: PEER_SHARES[share], who: `cell ${cell}` };
  }
  if (spiffeId === null) return null;
  const share = verb === 'report' || verb === 'enroll' ? 'line' : 'calls';
  return { name: `${share} ${spiffeId}`, limit: IDENTITY_SHARES[share], who: spiffeId };
};

export class CallShares {
  readonly #open = new Map<string, number>();

  /** Until what it returns is called, once. RESOURCE_EXHAUSTED for one that holds its share. */
  take(caller: Caller, rule: AccessRule): () => void {
    const share = shareOf(caller, rule);
    if (share === null) return () => undefined;
    const { name, limit, who } = share;
    const open = this.#open.get(name) ?? 0;
    if (open >= limit) {
      const words = `${who} holds ${open} calls open here already, as many as one may: try again later`;
      throw new FleetError('RESOURCE_EXHAUSTED', words, { retryable: true });
    }
    this.#open.set(name, open + 1);
    return () => {
      const left = (this.#open.get(name) ?? 1) - 1;
      if (left === 0) this.#open.delete(name);
      else this.#open.set(name, left);
    };
  }
}
