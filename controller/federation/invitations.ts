/**
 * Invitations to become a peer: made for an administrator, kept as a hash, used once, withdrawn or over. The same cell with
 * the same bundle is answered the same again for a day, because the reply may have been lost.
 */
import { createHash } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import { formatInvitation } from '../../src/identity/invitation.ts';
import { checkedPeer, type ToldPeer } from '../../src/identity/peer-bundle.ts';
import { hashTokenSecret, makeTokenSecret, TOKEN_LIFETIME_MAX_MS } from '../../src/identity/token.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { fallenGrants } from '../store/fallen-grants.ts';
import { uninvited } from '../store/invited-peer.ts';
import type { InvitationRecord, PeerRecord, Records } from '../store/records.ts';
import type { Peers } from './peers.ts';

export interface InvitationWish {
  /** Empty: whichever cell shows it first. */
  cell: string;
  tenants: readonly string[];
  /** 0: as long as a token may live. */
  validSeconds: number;
}

/** How long one that was used is remembered. */
const REMEMBERED_MS = 24 * 3_600_000;
const LOOK_MS = 1_000;

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
  #timer: NodeJS.Timeout | null = null;

  constructor(records: Records, peers: Peers, clock: Clock) {
    this.#records = records;
    this.#peers = peers;
    this.#clock = clock;
  }

  /** `failed` hears of ends that could not be stored; they are tried again. */
  start(failed: (error: unknown) => void): void {
    const look = (): void => void this.endOver().catch(failed);
    this.#timer = setInterval(look, LOOK_MS);
    look();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Those that can still be used. */
  open(): InvitationRecord[] {
    return this.#unused(false).map(([, invitation]) => invitation);
  }

  /** One that is over holds nothing: what was invited by it alone is no peer and keeps no tenant. Durable when it resolves. */
  async endOver(): Promise<void> {
    const { invitations, peers, grants, store } = this.#records;
    const over = this.#unused(true).map(([name]) => name);
    const asked = new Set(this.open().map(({ cell }) => cell));
    const forgotten = this.#peers.all().filter(({ state, cell }) => state === 'invited' && !asked.has(cell));
    if (over.length + forgotten.length === 0) return;
    const left = forgotten.map((peer) => uninvited(peers, peer));
    const isFormer = (cell: string): boolean => forgotten.some((peer) => peer.cell === cell);
    await store.commit({
      // Not one that is being used, or invited anew.
      expect: [
        ...over.map((name) => invitations.expectation(name)),
        ...forgotten.map(({ cell }) => peers.expectation(cell)),
      ],
      put: [...left.flatMap(({ put }) => put), ...fallenGrants(grants, isFormer, this.#clock.nowMs())],
      remove: [...over.map((name) => invitations.keyOf(name)), ...left.flatMap(({ remove }) => remove)],
    });
  }

  /** Those that any cell can use. NOT_FOUND when there is none; how many, durable when it resolves. */
  async withdrawOpen(): Promise<number> {
    const { invitations, store } = this.#records;
    const open = this.#unused(false).filter(([, { cell }]) => cell === '');
    if (open.length === 0) {
      throw new FleetError('NOT_FOUND', 'no invitation that any cell can use: see "fleet peer ls"');
    }
    const expect = open.map(([name]) => invitations.expectation(name));
    const committed = await store.commit({ expect, remove: open.map(([name]) => invitations.keyOf(name)) });
    if (committed !== null) return open.length;
    throw new FleetError('ABORTED', 'one of them was used at this moment: see "fleet peer ls", then try again');
  }

  #unused(isOver: boolean): [name: string, invitation: InvitationRecord][] {
    const nowMs = this.#clock.nowMs();
    const { invitations } = this.#records;
    return [...invitations.entries()].filter(([, each]) => each.used === null && nowMs >= each.expiresMs === isOver);
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
