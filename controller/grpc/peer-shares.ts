/**
 * How much of this controller one peer cell may hold open at once, whichever of its certificates calls: a part of what one
 * host carries, so that our own operators always get through. Its rows are apart, so that calls never cost a peer its picture.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { AccessRule } from './access.ts';

/** Calls to hosts, of which each carries so many of peers and no more (`PEERS_AT_HOST`); rows and what it asks of itself. */
export const PEER_SHARES = { calls: 64, rows: 16 };

type Share = keyof typeof PEER_SHARES;

export class PeerShares {
  readonly #open = new Map<string, number>();

  /** Until what it returns is called, once. RESOURCE_EXHAUSTED for a peer that holds its share; nobody else is counted. */
  take({ cell }: Caller, { onBehalf }: AccessRule): () => void {
    if (cell === '') return () => undefined;
    const share: Share = onBehalf ? 'calls' : 'rows';
    const name = `${share} ${cell}`;
    const open = this.#open.get(name) ?? 0;
    if (open >= PEER_SHARES[share]) {
      const words = `cell ${cell} holds ${open} calls open here already, as many as one peer may: try again later`;
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
