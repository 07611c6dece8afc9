/**
 * What is kept of a host-agent belongs to one machine and one tenant: it goes when the host-agent is removed, when another
 * machine takes its name, or when it is enrolled for another tenant.
 */
import { formatSpiffeId } from '../../src/identity/spiffe-id.ts';
import type { OwnerRecord, Records } from '../store/records.ts';

export class Owners {
  readonly #records: Records;
  readonly #cell: string;
  #watch: Disposable | null = null;

  constructor(records: Records, cell: string) {
    this.#records = records;
    this.#cell = cell;
  }

  /** Of `host/user` as it is enrolled now; null: it is not. */
  of(hostAgent: string): OwnerRecord | null {
    const [host = '', user = ''] = hostAgent.split('/');
    const held = this.#records.identities.get(formatSpiffeId({ kind: 'host', cell: this.#cell, host, user }));
    return held === undefined || held.revoked ? null : { tenantId: held.tenantId, machineId: held.machineId };
  }

  /** Whether what is kept of `host/user` is of whoever bears that name now. */
  owns(hostAgent: string, { tenantId, machineId }: OwnerRecord): boolean {
    const owner = this.of(hostAgent);
    return owner !== null && owner.tenantId === tenantId && owner.machineId === machineId;
  }

  /** `forget` hears of each that is not its owner's any more; of those that went while nobody looked at once. */
  follow(forget: (hostAgent: string) => void): void {
    const { store, identities, appliedRosters, intents } = this.#records;
    const look = (): void => {
      const gone = [...appliedRosters.entries(), ...intents.entries()].filter(([id, record]) => !this.owns(id, record));
      for (const id of new Set(gone.map(([each]) => each))) forget(id);
    };
    this.#watch = store.watch(identities.keyOf(''), look);
    look();
  }

  stop(): void {
    this.#watch?.[Symbol.dispose]();
  }
}
