/**
 * How many of the calls that one host carries may be other cells': half of them for all peers together, a quarter of that for
 * one. The rest is left to our own operators, however many peers there are.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { parseSpiffeId } from '../../src/identity/spiffe-id.ts';
import type { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { MAX_TUNNEL_CALLS } from '../../src/wire/host-calls.ts';

export const PEERS_AT_HOST = { all: MAX_TUNNEL_CALLS / 2, each: MAX_TUNNEL_CALLS / 8 };

export class PeersAtHost {
  readonly #host: string;
  readonly #open = new Map<string, number>();
  #all = 0;

  /** `host` for words. */
  constructor(host: string) {
    this.#host = host;
  }

  /** Until what it returns is called, once. RESOURCE_EXHAUSTED for a peer; whoever is of this cell is not counted. */
  take(caller: OnBehalfOf | undefined): () => void {
    if (!caller?.federated) return () => undefined;
    const cell = parseSpiffeId(caller.actor)?.cell ?? '';
    const open = this.#open.get(cell) ?? 0;
    if (open >= PEERS_AT_HOST.each || this.#all >= PEERS_AT_HOST.all) {
      const many = `as many calls of other cells to ${this.#host} run already as may at once`;
      throw new FleetError('RESOURCE_EXHAUSTED', `${many}: try again later`, { retryable: true });
    }
    this.#open.set(cell, open + 1);
    this.#all++;
    return () => {
      this.#all--;
      const left = (this.#open.get(cell) ?? 1) - 1;
      if (left === 0) this.#open.delete(cell);
      else this.#open.set(cell, left);
    };
  }
}
