/**
 * The line to one peer: a FleetService client of its controller that follows what is granted, resumed by token, tried
 * again for ever. What fails here stays here: a slow or frozen peer costs one stream, and its rows keep their age.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { LINK_THRESHOLDS } from '../../src/domain/link.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { refusalReasonOf } from '../../src/wire/errors.ts';
import { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { PeerRecord } from '../store/records.ts';
import { Breaker, type BreakerOptions } from './breaker.ts';
import { LineStanding, type PeerStanding } from './line-standing.ts';
import { Pace } from './pace.ts';
import { BrokenLine, PeerChannel } from './peer-channel.ts';
import type { PeerRows } from './peer-rows.ts';

export interface PeerLinkOptions {
  rows: PeerRows;
  clock: Clock;
  log: Logger;
  /** As the store has it now. */
  peer: () => PeerRecord;
  /** Our own leaf and its key, as they are now. */
  identity: () => { certificatePem: string; keyPem: string };
  /** Beside the rows, whenever the line stands anew. */
  onConnected?: (channel: PeerChannel, signal: AbortSignal) => void;
  breaker?: BreakerOptions;
}

const LOOK_MS = 500;
/** How often in a row a peer may change its grants before it is asked less often: an administrator grants several at once. */
const MAX_TAKEN_UP = 8;
const MAX_REASON_CHARACTERS = 200;

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #breaker: Breaker;
  readonly #standing: LineStanding;
  #channel: PeerChannel | null = null;
  /** Of the address that answered last, so that it is tried first. */
  #address = '';
  #tries = 0;
  #certificateNotAfterMs: number | null = null;
  /** Aborted to look anew: at another record, with a new certificate. */
  #anew = new AbortController();
  /** Since when other grants count than those by which what is held was told. */
  #outdatedMono: number | null = null;
  /** How often its grants have changed without a second of rest. */
  #takenUp = 0;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#breaker = new Breaker(options.clock, options.breaker);
    this.#standing = new LineStanding(options.clock);
  }

  get standing(): PeerStanding {
    const { now, isConnected } = this.#standing;
    return isConnected ? { ...now, reason: this.#options.rows.shortfall ?? now.reason } : now;
  }

  /** For "fleet peer ls". */
  describe() {
    const { clock } = this.#options;
    const nowMono = clock.monotonicMs();
    const { state, reason, sinceMono } = this.standing;
    const { lastHeardMono } = this.#standing;
    return {
      state,
      reason: reason ?? undefined,
      ageMs: nowMono - sinceMono,
      breaker: this.#breaker.state,
      nextTryInMs: state === 'connected' ? undefined : this.#breaker.waitMs,
      lastSuccessAgeMs: lastHeardMono === null ? undefined : nowMono - lastHeardMono,
      address: this.#address,
      certificateNotAfterMs: this.#certificateNotAfterMs ?? undefined,
    };
  }

  /** Hears of each change of the standing. */
  onChange(listener: () => void): Disposable {
    return this.#standing.onChange(listener);
  }

  /** Where calls go while the line stands; UNAVAILABLE at once while it does not. */
  channel(): PeerChannel {
    const { cell } = this.#options.peer();
    if (this.#channel !== null && this.#standing.isConnected) return this.#channel;
    const { state, reason } = this.#standing.now;
    const next = this.#breaker.waitMs > 0 ? `, tried again in ${Math.ceil(this.#breaker.waitMs / 1_000)} s` : '';
    throw new FleetError('UNAVAILABLE', `cell ${cell} cannot be asked: ${state}${reason ? ` (${reason})` : ''}${next}`);
  }

  /** Its record or our certificate changed: a new line, at once; calls of the one before go on. */
  renew(): void {
    this.#breaker.hurry();
    this.#anew.abort();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#pause(signal);
        if (signal.aborted) return;
        this.#anew = new AbortController();
        this.#breaker.begin();
        const error = await this.#follow(AbortSignal.any([signal, this.#anew.signal]));
        if (signal.aborted) return;
        if (this.#anew.signal.aborted) continue;
        if (this.#isTakenUp(error)) continue;
        this.#channel?.close();
        this.#channel = null;
        this.#fell(error);
      }
    } finally {
      this.#channel?.close();
      this.#channel = null;
    }
  }

  /** While nothing comes, what is held grows old. */
  async #pause(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#breaker.waitMs > 0) {
      await sleep(Math.min(LOOK_MS, this.#breaker.waitMs), AbortSignal.any([signal, this.#anew.signal]));
      this.#forgetOutdated();
      this.#age();
    }
  }

  /** Why it ended. Channel and calls stay where it ended to begin anew. */
  async #follow(signal: AbortSignal): Promise<FleetError> {
    const { rows, clock, peer, identity, onConnected } = this.#options;
    const { cell, trustBundlePem } = peer();
    const address = this.#nextAddress();
    if (address === null) return new FleetError('FAILED_PRECONDITION', 'it told no address');
    const before = this.#channel;
    const channel = new PeerChannel(address, { ...identity(), trustBundlePem, cell }, () => clock.nowMs());
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const silence = this.#silence(over);
    const pace = new Pace(clock);
    try {
      const request = { follow: true, resumeToken: rows.resumeToken, localOnly: false, hostsOnly: false };
      await channel.ask(FleetServiceService.watchAgents, request, {
        signal: until,
        deadlineMs: 0,
        onMessage: (frame, bytes) => {
          silence.heard();
          this.#standing.heard();
          if (rows.apply(frame) && this.#channel !== channel) {
            this.#channel = channel;
            before?.retire();
            this.#stands(channel);
            onConnected?.(channel, until);
          }
          return pace.take(bytes, until) ?? undefined;
        },
      });
      return new BrokenLine('UNAVAILABLE', `${address} ended the stream`);
    } catch (error) {
      return error instanceof FleetError
        ? error
        : new FleetError('INTERNAL', 'its rows cannot be read', { cause: error });
    } finally {
      silence.end();
      over.abort();
      if (this.#channel !== channel) channel.close();
    }
  }

  /** Counted in looks, so that a pause of our own is not taken for the peer's. */
  #silence(over: AbortController): { heard(): void; end(): void } {
    const { rows } = this.#options;
    let silentMs = 0;
    const timer = setInterval(() => {
      silentMs += LOOK_MS;
      if (silentMs > LOOK_MS) this.#forgetOutdated();
      // A try that hangs is no word of the peer.
      this.#age();
      if (silentMs > LINK_THRESHOLDS.silentMs) over.abort(new BrokenLine('UNAVAILABLE', 'silent'));
      if (!rows.hasRoom || !this.#breaker.isProven) return;
      rows.forgetPlace();
      this.renew();
    }, LOOK_MS);
    return {
      heard: () => {
        silentMs = 0;
      },
      end: () => clearInterval(timer),
    };
  }

  #stands(channel: PeerChannel): void {
    this.#breaker.succeeded();
    this.#outdatedMono = null;
    this.#address = channel.address;
    this.#tries = 0;
    this.#certificateNotAfterMs = channel.certificateNotAfterMs;
    this.#standing.move('connected', null);
  }

  /**
   * Rows that are granted no more go with the next snapshot, which is asked for at once; other calls go on. One that says so
   * again and again waits as one that fails.
   */
  #isTakenUp(error: FleetError): boolean {
    if (refusalReasonOf(error) !== 'grants_changed' || this.#outdatedMono !== null) return false;
    this.#outdatedMono = this.#options.clock.monotonicMs();
    this.#options.rows.forgetPlace();
    this.#takenUp = this.#breaker.isProven ? 0 : this.#takenUp + 1;
    if (this.#takenUp > MAX_TAKEN_UP) this.#breaker.failed();
    return true;
  }

  /** What takes too long to be told anew may be granted no more. */
  #forgetOutdated(): void {
    const { rows, clock } = this.#options;
    if (this.#outdatedMono === null || clock.monotonicMs() - this.#outdatedMono < LOOK_MS) return;
    this.#outdatedMono = null;
    rows.clear();
    if (this.#standing.isConnected) this.#standing.move('resuming', 'grants_changed');
  }

  #fell(error: FleetError): void {
    const { rows, log, peer } = this.#options;
    const hasStood = this.#standing.isConnected && this.#breaker.isProven;
    this.#breaker.failed();
    if (this.#outdatedMono !== null) rows.clear();
    this.#outdatedMono = null;
    const why = refusalReasonOf(error);
    log.info({ peer: peer().cell, code: error.code, why: error.message, refusal: why }, 'line to a peer ended');
    if (why === 'revoked') {
      rows.clear();
      // What is granted still is told at once.
      if (hasStood) this.#breaker.hurry();
      this.#standing.move('revoked', 'by the peer');
      return;
    }
    // A place in what cannot be read is none.
    if (!(error instanceof BrokenLine) && why === null) rows.forgetPlace();
    this.#standing.fell(why ?? error.message.slice(0, MAX_REASON_CHARACTERS));
    this.#age();
  }

  #age(): void {
    const age = this.#standing.age();
    if (age !== null) this.#options.rows.unreachable(age);
  }

  #nextAddress(): string | null {
    const { addresses } = this.#options.peer();
    const ordered = [...new Set([this.#address, ...addresses])].filter((address) => addresses.includes(address));
    return ordered[this.#tries++ % ordered.length] ?? null;
  }
}
