/**
 * Whose certificates count here: the cell's own authorities and those of its active peers, as the store has them now.
 * A peer that is removed is out with the same commit; a stored bundle never stands in for the cell's own.
 */
import type { X509Certificate } from 'node:crypto';
import { bundleFromPem, type TrustBundles } from '../../src/identity/trust.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { TlsMaterial } from '../grpc/tls-front.ts';
import type { Records } from '../store/records.ts';

export class PeerTrust {
  readonly #records: Records;
  readonly #own: () => TrustBundles;
  readonly #changed = new Listeners();
  #peers = new Map<string, X509Certificate[]>();
  #watch: Disposable | null = null;

  /** `own`: the cell's own authorities, present and coming. */
  constructor(records: Records, own: () => TrustBundles) {
    this.#records = records;
    this.#own = own;
  }

  start(): void {
    const { peers, store } = this.#records;
    this.#read();
    this.#watch = store.watch(peers.keyOf(''), () => {
      this.#read();
      this.#changed.emit();
    });
  }

  stop(): void {
    this.#watch?.[Symbol.dispose]();
  }

  bundles(): TrustBundles {
    return new Map([...this.#peers, ...this.#own()]);
  }

  /** The server's material, for handshakes with peers too: TLS takes the union, the door judges by domain. */
  widened(material: TlsMaterial): TlsMaterial {
    const peers = [...this.#peers.values()].flat().map((authority) => authority.toString());
    return { ...material, trustPem: [material.trustPem, ...peers].join('') };
  }

  /** Called after each change of a peer. */
  onChanged(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  #read(): void {
    const active = [...this.#records.peers.entries()].filter(([, { state }]) => state === 'active');
    this.#peers = new Map(active.map(([cell, { trustBundlePem }]) => [cell, bundleFromPem(trustBundlePem)]));
  }
}
