/**
 * Peers as records: held once trust was exchanged, refreshed by their own word, removed. A cell's name belongs to the
 * bundle with which it came for as long as it is a peer.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../../src/domain/tenant.ts';
import { bundleFingerprints, checkedPeer, type ToldPeer } from '../../src/identity/peer-bundle.ts';
import { isCellName } from '../../src/identity/spiffe-id.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { fallenGrants } from '../store/fallen-grants.ts';
import { uninvited } from '../store/invited-peer.ts';
import type { InvitationRecord, PeerRecord, Records } from '../store/records.ts';
import type { Commit } from '../store/store.ts';
import { isTenant, requireTenant } from '../tenancy/tenants.ts';

/** What is told of ourselves. */
export interface OwnIdentity extends ToldPeer {
  /** Of the authority that signs now. */
  fingerprint: string;
}

/** Rows that are held of one peer. */
const ROW_LIMIT = 10_000;

const meanwhile = (): FleetError =>
  new FleetError('ABORTED', 'the peer changed at this moment: try again', { retryable: true });

export class Peers {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly own: () => OwnIdentity;

  constructor(records: Records, clock: Clock, own: () => OwnIdentity) {
    this.#records = records;
    this.#clock = clock;
    this.own = own;
  }

  get(cell: string): PeerRecord | undefined {
    return this.#records.peers.get(cell);
  }

  all(): PeerRecord[] {
    return [...this.#records.peers.entries()].map(([, peer]) => peer);
  }

  /** ALREADY_EXISTS when the name is ours, or another bundle's; INVALID_ARGUMENT when it is none. */
  requireFree(cell: string, trustBundlePem: string | null): void {
    if (!isCellName(cell)) {
      throw new FleetError('INVALID_ARGUMENT', `cell name ${JSON.stringify(cell)}: use 1 to 63 of a-z 0-9 . -`);
    }
    if (cell === this.own().cell) {
      throw new FleetError('ALREADY_EXISTS', `${cell} is the name of both cells: a peer needs a name of its own`);
    }
    const held = this.get(cell);
    if (held?.state !== 'active' || held.trustBundlePem === trustBundlePem) return;
    throw new FleetError(
      'ALREADY_EXISTS',
      `${cell} is a peer already, by the bundle it came with: "fleet peer rm ${cell}" comes first`,
    );
  }

  /** Those of this cell for whom a peer exists. NOT_FOUND for one that is none; nobody named: the one that is always there. */
  audience(tenants: readonly string[]): string[] {
    for (const tenant of tenants) requireTenant(this.#records, tenant);
    return tenants.length === 0 ? [DEFAULT_TENANT] : [...new Set(tenants)];
  }

  /** FAILED_PRECONDITION, in words for the other cell, when one of them was removed since it was named. */
  requireAudience(audience: readonly string[]): void {
    if (audience.every((tenant) => isTenant(this.#records, tenant))) return;
    throw new FleetError(
      'FAILED_PRECONDITION',
      'a tenant for whom the invitation was made is there no more: ask for a new one ("fleet peer invite")',
    );
  }

  /** One that may join, as a part of a commit. Of one that was removed is kept by what it is told so, until it comes anew. */
  writingInvited(cell: string, audience: string[]): { key: string; value: Uint8Array } {
    const held = this.get(cell);
    const invited: PeerRecord = {
      cell,
      addresses: [],
      trustBundlePem: held?.trustBundlePem ?? '',
      audience,
      state: 'invited',
      invitedMs: this.#clock.nowMs(),
      acceptedMs: null,
      revokedMs: held?.revokedMs ?? null,
      limits: { rows: ROW_LIMIT },
    };
    return this.#records.peers.writing(cell, invited);
  }

  /** From now on a peer. What else is in the commit holds with it or not at all. */
  async hold(
    peer: ToldPeer,
    audience: string[],
    { expect = [], put = [] }: Pick<Commit, 'expect' | 'put'> = {},
  ): Promise<PeerRecord> {
    this.requireFree(peer.cell, peer.trustBundlePem);
    this.requireAudience(audience);
    const tenants = audience.map((tenant) => this.#records.tenants.expectation(tenant));
    const held = this.get(peer.cell);
    const nowMs = this.#clock.nowMs();
    const record: PeerRecord = {
      ...peer,
      audience,
      state: 'active',
      invitedMs: held?.state === 'invited' ? held.invitedMs : nowMs,
      acceptedMs: nowMs,
      revokedMs: null,
      limits: held?.limits ?? { rows: ROW_LIMIT },
      // What it was told when it became one.
      trusts: bundleFingerprints(this.own().trustBundlePem),
    };
    await this.#commit(record, { expect: [...expect, ...tenants], put });
    return record;
  }

  /**
   * From now on what it grants exists for these tenants and for nobody else; of one that is invited, once it comes. NOT_FOUND
   * for no peer or no tenant. Durable when it resolves.
   */
  async showTo(cell: string, tenants: readonly string[]): Promise<PeerRecord> {
    const held = this.#present(cell);
    if (tenants.length === 0) {
      throw new FleetError(
        'INVALID_ARGUMENT',
        `name a tenant; to show nothing of ${cell} any more, "fleet peer rm ${cell}"`,
      );
    }
    const audience = this.audience(tenants);
    const { invitations, tenants: known } = this.#records;
    const open = this.#unused(cell);
    const record = { ...held, audience };
    await this.#commit(record, {
      expect: [
        ...audience.map((tenant) => known.expectation(tenant)),
        ...open.map(([name]) => invitations.expectation(name)),
      ],
      put: open.map(([name, invitation]) => invitations.writing(name, { ...invitation, audience })),
    });
    return record;
  }

  /** Of the authorities that are held of it. */
  known(cell: string): string[] {
    return bundleFingerprints(this.get(cell)?.trustBundlePem ?? '');
  }

  /**
   * Its own word, over a line that proved to be its: its authorities and addresses as they are now, and which of ours it has.
   * `announce` is awaited before a change counts.
   */
  async refresh(
    cell: string,
    told: ToldPeer,
    has: readonly string[],
    announce: (before: ToldPeer, after: ToldPeer) => Promise<void>,
  ): Promise<void> {
    const held = this.get(cell);
    const expect = [this.#records.peers.expectation(cell)];
    const peer = checkedPeer(told);
    if (held?.state !== 'active' || peer.cell !== cell) {
      throw new FleetError('PERMISSION_DENIED', 'a cell speaks for itself only');
    }
    const { trustBundlePem } = peer;
    const addresses = peer.addresses.length > 0 ? peer.addresses : held.addresses;
    const trusts = bundleFingerprints(this.own().trustBundlePem).filter((ours) => has.includes(ours));
    const isSame = trustBundlePem === held.trustBundlePem && addresses.join() === held.addresses.join();
    if (isSame && trusts.join() === held.trusts?.join()) return;
    const refreshed = { ...held, trustBundlePem, addresses, trusts };
    await announce(held, refreshed);
    // Not one that was removed meanwhile.
    await this.#commit(refreshed, { expect });
  }

  /**
   * NOT_FOUND when there is none. Its grants and its invitations that were not used fall with it; of one that was only invited
   * nothing else is left. Durable when it resolves.
   */
  async remove(cell: string): Promise<{ peer: PeerRecord | null; withdrawn: number }> {
    const held = this.#present(cell);
    const { invitations, peers, grants } = this.#records;
    const open = this.#unused(cell);
    const remove = open.map(([name]) => invitations.keyOf(name));
    const revokedMs = this.#clock.nowMs();
    const fallen = fallenGrants(grants, (peer) => peer === cell, revokedMs);
    if (held.state === 'invited') {
      const left = uninvited(peers, held);
      await this.#change(cell, { put: [...left.put, ...fallen], remove: [...remove, ...left.remove] });
      return { peer: null, withdrawn: open.length };
    }
    const peer: PeerRecord = { ...held, state: 'revoked', revokedMs };
    await this.#commit(peer, { put: fallen, remove });
    return { peer, withdrawn: open.length };
  }

  /** NOT_FOUND for one that is neither a peer nor invited. */
  #present(cell: string): PeerRecord {
    const held = this.get(cell);
    if (held !== undefined && held.state !== 'revoked') return held;
    throw new FleetError('NOT_FOUND', `no peer ${JSON.stringify(cell.slice(0, 64))}: see "fleet peer ls"`);
  }

  /** Invitations for it alone. */
  #unused(cell: string): [name: string, invitation: InvitationRecord][] {
    return [...this.#records.invitations.entries()].filter(([, each]) => each.used === null && each.cell === cell);
  }

  #commit(record: PeerRecord, { put = [], ...more }: Commit = {}): Promise<void> {
    return this.#change(record.cell, { ...more, put: [...put, this.#records.peers.writing(record.cell, record)] });
  }

  /** Whatever becomes of a peer counts only if it is as it was when that was judged. */
  async #change(cell: string, { expect = [], ...change }: Commit): Promise<void> {
    const { peers, store } = this.#records;
    const committed = await store.commit({ ...change, expect: [...expect, peers.expectation(cell)] });
    if (committed === null) throw meanwhile();
  }
}
