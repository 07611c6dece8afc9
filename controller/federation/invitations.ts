/**
 * Invitations to become a peer: made for an administrator, kept as a hash, used once, forgotten a day after they ended.
 * The same cell with the same bundle is answered the same again, because the reply may have been lost.
 */
import { createHash } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import { formatInvitation } from '../../src/identity/invitation.ts';
import { checkedPeer, type ToldPeer } from '../../src/identity/peer-bundle.ts';
import { hashTokenSecret, makeTokenSecret, TOKEN_LIFETIME_MAX_MS } from '../../src/identity/token.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { InvitationRecord, PeerRecord, Records } from '../store/records.ts';
import type { Peers } from './peers.ts';

export interface InvitationWish {
  /** Empty: whichever cell shows it first. */
  cell: string;
  tenants: readonly string[];
  /** 0: as long as a token may live. */
  validSeconds: number;
}

/** How long an ended invitation is remembered. */
const REMEMBERED_MS = 24 * 3_600_000;

const notAccepted = (): FleetError =>
  new FleetError(
    'PERMISSION_DENIED',
    'the invitation is not accepted: it is unknown, used or out of date; ask for a new one',
  );

export class Invitations {
  readonly #records: Records;
  readonly #peers: Peers;
  readonly #clock: Clock;
  /** One after the other: each sees the names that the one before took. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(records: Records, peers: Peers, clock: Clock) {
    this.#records = records;
    this.#peers = peers;
    this.#clock = clock;
  }

  /** Those that can still be used. */
  open(): InvitationRecord[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#records.invitations.entries()]
      .map(([, invitation]) => invitation)
      .filter(({ used, expiresMs }) => used === null && nowMs < expiresMs);
  }

  /**
   * INVALID_ARGUMENT for an impossible wish, ALREADY_EXISTS for a name that is taken. Takes the place of an unused one for
   * that cell. Durable when it resolves.
   */
  async make(wish: InvitationWish, createdBy: string): Promise<{ token: string; expiresMs: number }> {
    const { cell } = wish;
    const audience = this.#peers.audience(wish.tenants);
    const validMs = wish.validSeconds === 0 ? TOKEN_LIFETIME_MAX_MS : wish.validSeconds * 1_000;
    if (validMs > TOKEN_LIFETIME_MAX_MS) {
      throw new FleetError('INVALID_ARGUMENT', `an invitation lives at most ${TOKEN_LIFETIME_MAX_MS / 60_000} minutes`);
    }
    if (cell !== '') this.#peers.requireFree(cell, null);
    const nowMs = this.#clock.nowMs();
    const secret = makeTokenSecret();
    const expiresMs = nowMs + validMs;
    const invitation: InvitationRecord = { cell, audience, expiresMs, createdBy, used: null };
    const { invitations, store } = this.#records;
    const isReplaced = (old: InvitationRecord): boolean => cell !== '' && old.cell === cell && old.used === null;
    const ended = [...invitations.entries()].filter(
      ([, old]) => old.expiresMs + REMEMBERED_MS < nowMs || isReplaced(old),
    );
    await store.commit({
      put: [
        invitations.writing(hashTokenSecret(secret), invitation),
        ...(cell === '' ? [] : [this.#peers.writingInvited(cell, audience)]),
      ],
      remove: ended.map(([name]) => invitations.keyOf(name)),
    });
    const { fingerprint, addresses, cell: ownCell } = this.#peers.own();
    return { token: formatInvitation({ cell: ownCell, fingerprint, addresses, expiresMs, secret }), expiresMs };
  }

  /**
   * PERMISSION_DENIED for the secret, ALREADY_EXISTS for the name, INVALID_ARGUMENT for what is told, FAILED_PRECONDITION
   * for a tenant that is there no more. `announce` is awaited before the peer is one.
   */
  use(secret: string, told: ToldPeer, announce: (cell: string) => Promise<void>): Promise<PeerRecord> {
    const result = this.#turn.then(() => this.#use(secret, told, announce));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #use(secret: string, told: ToldPeer, announce: (cell: string) => Promise<void>): Promise<PeerRecord> {
    const { invitations } = this.#records;
    const name = hashTokenSecret(secret);
    const invitation = invitations.get(name);
    if (invitation === undefined) throw notAccepted();
    const peer = checkedPeer(told);
    const { cell } = peer;
    const nowMs = this.#clock.nowMs();
    const bundleDigest = digestOf(peer.trustBundlePem);
    if (invitation.used !== null) return this.#sameAgain(invitation.used, cell, bundleDigest);
    if (nowMs >= invitation.expiresMs) throw notAccepted();
    if (invitation.cell !== '' && invitation.cell !== cell) {
      throw new FleetError('PERMISSION_DENIED', `the invitation is for another cell than ${cell}`);
    }
    this.#peers.requireFree(cell, peer.trustBundlePem);
    this.#peers.requireAudience(invitation.audience);
    // As they were judged: an invitation or a peer that is removed meanwhile stays so.
    const expect = [invitations.expectation(name), this.#records.peers.expectation(cell)];
    await announce(cell);
    return await this.#peers.hold(peer, invitation.audience, {
      expect,
      put: [invitations.writing(name, { ...invitation, used: { cell, bundleDigest, atMs: nowMs } })],
    });
  }

  #sameAgain(used: NonNullable<InvitationRecord['used']>, cell: string, bundleDigest: string): PeerRecord {
    const held = this.#peers.get(used.cell);
    if (used.cell !== cell || used.bundleDigest !== bundleDigest || held?.state !== 'active') throw notAccepted();
    return held;
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
