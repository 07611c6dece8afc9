/**
 * Which order went where, so that it can be asked about later: never what was typed, nor words of a screen. The newest
 * 10,000 of the cell; ids are one tenant's own, or one peer's.
 */

import { FleetError } from '../../src/domain/errors.ts';
import type { Mirror } from '../store/mirror.ts';
import type { OrderRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

export const KEPT = 10_000;
const ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** INVALID_ARGUMENT for what is no id. */
export const requireOrderId = (id: string): void => {
  if (!ID.test(id)) throw new FleetError('INVALID_ARGUMENT', 'an order’s id is 1 to 128 letters, digits and . _ : -');
};

/** As the audit names an order: nothing where that is no id. */
export const namedOrder = (id: string): { order?: string } => (ID.test(id) ? { order: id } : {});

export class OrderIndex {
  readonly #store: Store;
  readonly #orders: Mirror<OrderRecord>;
  readonly #keep: number;
  /** Names of each tenant's orders, oldest first. */
  readonly #ages = new Map<string, Set<string>>();
  /** Orders of this run that are under way. What an earlier run left so is waited for by nobody any more. */
  readonly #underWay = new Set<string>();
  #count = 0;

  constructor(store: Store, orders: Mirror<OrderRecord>, keep = KEPT) {
    this.#store = store;
    this.#orders = orders;
    this.#keep = keep;
    for (const [name] of [...orders.entries()].sort(([, a], [, b]) => a.beganMs - b.beganMs)) this.#renew(name);
  }

  get(tenantId: string, id: string): OrderRecord | undefined {
    const name = `${tenantId}/${id}`;
    const entry = this.#orders.get(name);
    return entry?.outcome !== 'pending' || this.#underWay.has(name) ? entry : { ...entry, outcome: 'unknown' };
  }

  /** The newest of these tenants' orders under that id. */
  find(id: string, tenants: 'all' | readonly string[]): OrderRecord | undefined {
    return (tenants === 'all' ? [...this.#ages.keys()] : tenants)
      .flatMap((tenantId) => this.get(tenantId, id) ?? [])
      .sort((a, b) => a.beganMs - b.beganMs)
      .at(-1);
  }

  /**
   * Stored before the order leaves. The same order again keeps its first entry; another one under the same id is refused
   * with ALREADY_EXISTS, an id that is none with INVALID_ARGUMENT.
   */
  async begin(tenantId: string, id: string, entry: OrderRecord): Promise<{ entry: OrderRecord; isNew: boolean }> {
    requireOrderId(id);
    const held = this.get(tenantId, id);
    if (held === undefined) {
      const name = `${tenantId}/${id}`;
      this.#underWay.add(name);
      await this.#put(name, entry).catch((error: unknown) => {
        this.#underWay.delete(name);
        throw error;
      });
      return { entry, isNew: true };
    }
    if (held.hostAgent !== entry.hostAgent || held.key !== entry.key || held.verb !== entry.verb) {
      throw new FleetError('ALREADY_EXISTS', `order ${id} was another one: ${held.verb} to ${held.address}`);
    }
    return { entry: held, isNew: false };
  }

  async settle(tenantId: string, id: string, entry: OrderRecord, outcome: string): Promise<void> {
    if (outcome !== 'pending') this.#underWay.delete(`${tenantId}/${id}`);
    if (this.get(tenantId, id)?.outcome !== outcome) await this.#put(`${tenantId}/${id}`, { ...entry, outcome });
  }

  async #put(name: string, entry: OrderRecord): Promise<void> {
    this.#renew(name);
    // Where the commit fails they stay stored, and fall with the next run's first order.
    const remove = this.#overflow(tenantOf(name)).map((each) => this.#orders.keyOf(each));
    await this.#store.commit({ put: [this.#orders.writing(name, entry)], remove }, 'soon');
  }

  #renew(name: string): void {
    const tenantId = tenantOf(name);
    const names = this.#ages.get(tenantId) ?? new Set();
    this.#ages.set(tenantId, names);
    if (!names.delete(name)) this.#count++;
    names.add(name);
  }

  /** Each tenant keeps its equal share whatever others do; of equals the one that writes gives way. */
  #overflow(writing: string): string[] {
    const old: string[] = [];
    while (this.#count > this.#keep) {
      let most = writing;
      for (const [tenantId, names] of this.#ages) if (names.size > this.#sizeOf(most)) most = tenantId;
      const names = this.#ages.get(most) as Set<string>;
      const [oldest] = names;
      names.delete(oldest as string);
      if (names.size === 0) this.#ages.delete(most);
      this.#count--;
      old.push(oldest as string);
    }
    return old;
  }

  #sizeOf(tenantId: string): number {
    return this.#ages.get(tenantId)?.size ?? 0;
  }
}

/** An order's id has no slash. */
const tenantOf = (name: string): string => name.slice(0, name.lastIndexOf('/'));
