/**
 * The registry's hosts are those that are enrolled: a host-agent is known from its enrolment on, before it ever spoke,
 * and forgotten with its rows when an operator removed it, gave its name to another machine, or renamed it.
 */
import { hostAgentId } from '../../src/domain/host-agent.ts';
import type { Records } from '../store/records.ts';
import type { Registry } from './registry.ts';

export class EnrolledHosts {
  readonly #records: Records;
  readonly #registry: Registry;
  readonly #forget: (id: string) => void;
  #watch: Disposable | null = null;

  /** `forget` hears of host-agents that are shown and no longer enrolled. */
  constructor(records: Records, registry: Registry, forget: (id: string) => void) {
    this.#records = records;
    this.#registry = registry;
    this.#forget = forget;
  }

  follow(): void {
    const { store, identities } = this.#records;
    this.#watch = store.watch(identities.keyOf(''), () => this.#look());
    this.#look();
  }

  stop(): void {
    this.#watch?.[Symbol.dispose]();
  }

  #look(): void {
    const standing = new Set<string>();
    for (const [, { kind, revoked, host, user, tenantId, quarantined }] of this.#records.identities.entries()) {
      if (kind !== 'host' || revoked) continue;
      standing.add(hostAgentId(host, user));
      const id = this.#registry.enrolled({ host, user, tenantId });
      this.#registry.setQuarantined(id, quarantined ?? false);
    }
    for (const id of this.#registry.known()) if (!standing.has(id)) this.#forget(id);
  }
}
