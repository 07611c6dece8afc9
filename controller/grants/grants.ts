/**
 * Grants as records: made, told with how they stand, revoked for ever. What one covers is what a peer would be told by it now.
 * With its peer every grant falls, so that a cell that is a peer again later begins with none.
 */
import { randomBytes } from 'node:crypto';
import { formatAddress } from '../../src/domain/address.ts';
import { FleetError } from '../../src/domain/errors.ts';
import { compileGrants, type GrantStatus, grantStatus } from '../../src/domain/grant.ts';
import { isCellName } from '../../src/identity/spiffe-id.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { rowMarksOf } from '../../src/wire/agent-row.ts';
import { fallenGrants } from '../store/fallen-grants.ts';
import type { GrantRecord, Records } from '../store/records.ts';
import { agentPlaceOf } from '../tenancy/granted.ts';
import { isTenant } from '../tenancy/tenants.ts';
import { checkTerms, type TermsWish } from './check-terms.ts';

export interface GrantsOptions {
  records: Records;
  view: Pick<FleetView, 'hostAgents' | 'rowsOf'>;
  clock: Pick<Clock, 'nowMs'>;
  log: Logger;
  cell: string;
}

export interface GrantWish extends TermsWish {
  peer: string;
}

export interface CoveredRows {
  addresses: string[];
  withheld: number;
}

const LOOK_MS = 1_000;
/** Beyond this nobody could say what is granted. */
const MAX_GRANTS = 1_000;

export class Grants {
  readonly #options: GrantsOptions;
  #watches = new DisposableStack();

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  start(): void {
    const { records, log } = this.#options;
    const fell = (): void => {
      this.#revokeOfFormer().catch((err: unknown) => log.error({ err }, 'grants of a former peer not revoked'));
    };
    const ended = (): void => {
      this.#keepExpired().catch((err: unknown) => log.error({ err }, 'grants that expired not kept as such'));
    };
    this.#watches.use(records.store.watch(records.peers.keyOf(''), fell));
    const timer = setInterval(ended, LOOK_MS);
    this.#watches.defer(() => clearInterval(timer));
    fell();
    ended();
  }

  stop(): void {
    this.#watches.dispose();
    this.#watches = new DisposableStack();
  }

  /** What `add` would store. INVALID_ARGUMENT for wrong terms, NOT_FOUND for a cell that is no peer. */
  propose(wish: GrantWish, createdBy: string): GrantRecord {
    const { records, clock } = this.#options;
    const { peer } = wish;
    if (!isCellName(peer)) {
      throw new FleetError('INVALID_ARGUMENT', `peer ${JSON.stringify(peer.slice(0, 64))}: the name of a cell`);
    }
    const state = records.peers.get(peer)?.state;
    if (state === undefined || state === 'revoked') throw noPeer(peer);
    const { validMs, ...terms } = checkTerms(wish, (tenant) => isTenant(records, tenant));
    const nowMs = clock.nowMs();
    const expiresMs = validMs === null ? null : nowMs + validMs;
    return { id: '', peer, ...terms, expiresMs, createdMs: nowMs, createdBy, revokedMs: null };
  }

  /** Durable when it resolves. */
  async add(wish: GrantWish, createdBy: string): Promise<GrantRecord> {
    const { records } = this.#options;
    const proposed = this.propose(wish, createdBy);
    const standing = this.all().filter((grant) => ['pending', 'active'].includes(this.statusOf(grant)));
    if (standing.length >= MAX_GRANTS) {
      throw new FleetError(
        'RESOURCE_EXHAUSTED',
        `${MAX_GRANTS} grants stand already: revoke some, or widen their patterns`,
      );
    }
    const grant = { ...proposed, id: `g${randomBytes(5).toString('hex')}` };
    // Not to a peer that was removed meanwhile.
    const expect = [records.grants.expectation(grant.id), records.peers.expectation(grant.peer)];
    const committed = await records.store.commit({ expect, put: [records.grants.writing(grant.id, grant)] });
    if (committed === null) throw meanwhile();
    return grant;
  }

  /** Newest last. */
  all(): GrantRecord[] {
    const grants = [...this.#options.records.grants.entries()].map(([, grant]) => grant);
    return grants.sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1));
  }

  /** Of one peer, also of a former one; '': of all. NOT_FOUND for a cell that is and was none. */
  to(peer: string): GrantRecord[] {
    const grants = this.all().filter((grant) => peer === '' || grant.peer === peer);
    const isKnown = peer === '' || grants.length > 0 || this.#options.records.peers.get(peer) !== undefined;
    if (!isKnown) throw noPeer(peer.slice(0, 64));
    return grants;
  }

  /** NOT_FOUND when there is none. */
  get(id: string): GrantRecord {
    const grant = this.#options.records.grants.get(id);
    if (grant !== undefined) return grant;
    throw new FleetError('NOT_FOUND', `no grant ${JSON.stringify(id.slice(0, 64))}: see "fleet grant ls"`);
  }

  statusOf(grant: GrantRecord): GrantStatus {
    const { records, clock } = this.#options;
    return grantStatus(grant, records.peers.get(grant.peer)?.state, clock.nowMs());
  }

  /** The same again is no change. Durable when it resolves: no new call is let in by it, and those that live are cut. */
  async revoke(id: string): Promise<{ grant: GrantRecord; repeated: boolean }> {
    const { records, clock } = this.#options;
    const grant = this.get(id);
    if (grant.revokedMs !== null) return { grant, repeated: true };
    const revoked = { ...grant, revokedMs: clock.nowMs() };
    const expect = [records.grants.expectation(id)];
    const committed = await records.store.commit({ expect, put: [records.grants.writing(id, revoked)] });
    if (committed === null) throw meanwhile();
    return { grant: revoked, repeated: false };
  }

  /** Exactly the agents that it would show now, whatever other grants show. */
  covered(grant: GrantRecord): CoveredRows {
    const { view, cell } = this.#options;
    const set = compileGrants([grant]);
    const addresses: string[] = [];
    for (const { id, host, user } of view.hostAgents()) {
      for (const record of view.rowsOf(id).values()) {
        const place = agentPlaceOf(record);
        if (place === null || !set.allows('observe', place)) continue;
        addresses.push(formatAddress({ cell, host, user, agent: rowMarksOf(record.row).agent }));
      }
    }
    const told = addresses.slice(0, grant.rowLimit);
    return { addresses: told, withheld: addresses.length - told.length };
  }

  /** Seen once to be over, a grant is over for ever: clocks are set back. */
  async #keepExpired(): Promise<void> {
    const { records, clock } = this.#options;
    const expiredMs = clock.nowMs();
    const over = this.all().filter((grant) => grant.expiredMs === undefined && this.statusOf(grant) === 'expired');
    if (over.length === 0) return;
    await records.store.commit({
      expect: over.map(({ id }) => records.grants.expectation(id)),
      put: over.map((grant) => records.grants.writing(grant.id, { ...grant, expiredMs })),
    });
  }

  /** They fell with their peer; of a version before that they were left. */
  async #revokeOfFormer(): Promise<void> {
    const { records, clock } = this.#options;
    const isFormer = (cell: string): boolean => {
      const state = records.peers.get(cell)?.state;
      return state === undefined || state === 'revoked';
    };
    const put = fallenGrants(records.grants, isFormer, clock.nowMs());
    if (put.length > 0) await records.store.commit({ put });
  }
}

const noPeer = (peer: string): FleetError =>
  new FleetError('NOT_FOUND', `no peer ${peer}: "fleet peer ls" lists them, "fleet peer invite ${peer}" asks it`);

const meanwhile = (): FleetError =>
  new FleetError('ABORTED', 'the grant or its peer changed at this moment: try again', { retryable: true });
