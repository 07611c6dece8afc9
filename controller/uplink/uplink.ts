/**
 * The controller's end of Connect: welcomes a stream with a rising epoch, feeds the registry, beats.
 * The newest stream of an identity wins; late frames of an older one change nothing.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { hostAgentId, LINK_REASONS, type LinkReason } from '../../src/domain/host-agent.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { ConnectRequest, Hello, OrderEnded } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { hostFactsFromWire } from '../../src/wire/host-agent.ts';
import type { HostIdentity, Registry } from '../registry/registry.ts';
import { Displacements } from './displacements.ts';
import type { ReportIntake } from './report-intake.ts';
import type { Session, UplinkStream } from './session.ts';
import { ToldTrust, type ToldTrustOptions } from './told-trust.ts';

export interface UplinkOptions extends ToldTrustOptions {
  cell: string;
  version: string;
  registry: Registry;
  intake: ReportIntake;
  clock: Clock;
  log: Logger;
  /** Rising for each identity, stored before it is returned. */
  nextEpoch(id: string): bigint;
  addresses(): string[];
  /** What became of an order that was given on a host itself; throws INVALID_ARGUMENT for what is none. */
  orderEnded?(id: string, order: OrderEnded): void;
  /** The newest change in the audit, for hosts to keep. */
  auditHead?(): { sequence: number; hash: string };
}

const HELLO_DEADLINE_MS = 5_000;
const BEAT_INTERVAL_MS = 2_000;
/** Told in one turn of the loop: each takes about 40 us to go out, and a thousand at once hold up everybody. */
const BEATS_PER_TURN = 50;
/** A missed beat before the end of a stream means that the line had gone silent, not that a program closed it. */
export const MISSED_BEAT_MS = 3_000;

export class Uplink {
  readonly #options: UplinkOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #displacements: Displacements;
  readonly #trust: ToldTrust;
  readonly #sessionChanged = new Listeners<[id: string, isOpen: boolean]>();
  readonly #reported = new Listeners<[id: string]>();
  #sequence = 0n;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#displacements = new Displacements(options.clock);
    this.#trust = new ToldTrust(options);
  }

  get connected(): number {
    return this.#sessions.size;
  }

  /** Beats to every session until the signal aborts; one timer for all. */
  async beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(BEAT_INTERVAL_MS, signal);
      await this.#beatAll();
      for (const id of this.#displacements.settled()) this.#options.registry.setDuplicate(id, false);
    }
  }

  /** Takes over an authenticated stream until it ends. */
  connect(identity: HostIdentity, stream: UplinkStream): void {
    const id = hostAgentId(identity.host, identity.user);
    let session: Session | null = null;
    let isOver = false;
    const late = setTimeout(
      () => stream.fail(new FleetError('DEADLINE_EXCEEDED', 'no hello within 5 s')),
      HELLO_DEADLINE_MS,
    );
    stream.onMessage((message) => {
      // What was cut may have been let in as somebody else than it is now.
      if (isOver) return;
      try {
        if (message.hello && session === null) {
          clearTimeout(late);
          session = this.#welcome(id, identity, message.hello, stream);
        } else if (session !== null) this.#take(session, message);
        else throw new FleetError('FAILED_PRECONDITION', 'the first message must be a hello');
      } catch (error) {
        this.#options.log.warn({ hostAgent: id, err: error }, 'uplink refused');
        stream.fail(
          error instanceof FleetError ? error : new FleetError('INTERNAL', 'uplink failed', { cause: error }),
        );
      }
    });
    stream.onEnd(() => {
      isOver = true;
      clearTimeout(late);
      if (session !== null) this.#ended(session);
      session = null;
    });
  }

  isConnected(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** It has a session, and its rows of that session are there. */
  isReported(id: string): boolean {
    return this.#sessions.get(id)?.isReported ?? false;
  }

  /** Hears, once for each session, when it is. */
  onReported(listener: (id: string) => void): Disposable {
    return this.#reported.add(listener);
  }

  /** The host opens one beside its stream, if none is open; false when it has no stream. */
  askForTunnel(id: string): boolean {
    const session = this.#sessions.get(id);
    session?.stream.write({ openTunnel: {} });
    return session !== undefined;
  }

  /** Hears of sessions that were welcomed, and of ended ones; of a displaced one after its successor. */
  onSession(listener: (id: string, isOpen: boolean) => void): Disposable {
    return this.#sessionChanged.add(listener);
  }

  /** Every host hears whom to trust now. */
  trustChanged(): void {
    for (const session of this.#sessions.values()) this.#trust.tell(session);
  }

  /** Ends the stream of an identity at once, if it has one. */
  dismiss(id: string, reason: LinkReason, detail: string): void {
    const session = this.#sessions.get(id);
    if (session) this.#dismiss(session, reason, detail);
  }

  /** The door ended this identity's calls: the host is told why while its stream can still carry it. */
  fallen(id: string, cause: unknown): void {
    const why = (cause as { reason?: unknown }).reason;
    const reason = LINK_REASONS.find((known) => known === why);
    if (reason !== undefined) this.dismiss(id, reason, `this identity is ${reason.replace('_', ' ')}`);
  }

  async #beatAll(): Promise<void> {
    const head = this.#options.auditHead?.() ?? { sequence: 0, hash: '' };
    const sequence = ++this.#sequence;
    let told = 0;
    for (const { stream } of this.#sessions.values()) {
      if (told > 0 && told % BEATS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      told += 1;
      const controllerNowMs = this.#options.clock.nowMs();
      stream.write({ beat: { sequence, controllerNowMs, auditSequence: BigInt(head.sequence), auditHash: head.hash } });
    }
  }

  #welcome(id: string, identity: HostIdentity, hello: Hello, stream: UplinkStream): Session {
    const { registry, clock, log } = this.#options;
    const held = this.#sessions.get(id);
    if (held && held.inventoryId !== hello.inventoryId) {
      if (this.#displacements.note(id)) {
        registry.setDuplicate(id, true);
        log.warn({ hostAgent: id }, 'two host-agents hold this identity; the one at hand stays');
        stream.write({ dismissed: { reason: 'duplicate_identity', detail: `another host-agent reports as ${id}` } });
        throw new FleetError('ALREADY_EXISTS', `another host-agent reports as ${id}`);
      }
    }
    const epoch = this.#options.nextEpoch(id);
    registry.enrolled(identity);
    const session: Session = {
      id,
      epoch,
      inventoryId: hello.inventoryId,
      openedMono: clock.monotonicMs(),
      stream,
      goodbye: null,
      dismissed: null,
      isReported: false,
      isOver: false,
      trusts: '',
    };
    this.#sessions.set(id, session);
    if (held) this.#dismiss(held, 'superseded', 'a newer stream of the same identity was accepted');
    const trustBundlePem = this.#options.trustBundlePem();
    const resume = this.#options.intake.resumePoint(id, hello.inventoryId);
    stream.write({
      welcome: {
        epoch,
        cell: this.#options.cell,
        ...identity,
        addresses: this.#options.addresses(),
        trustBundlePem,
        version: this.#options.version,
        capabilities: [],
        resumeInventoryId: resume === null ? '' : hello.inventoryId,
        resumeRevision: resume ?? 0n,
      },
    });
    this.#trust.saidInHello(session, hello.authorities);
    registry.opened(id, epoch, hello.facts ? hostFactsFromWire(hello.facts) : null);
    log.info(
      { hostAgent: id, epoch: String(epoch), version: hello.version, resumed: resume !== null },
      'uplink opened',
    );
    this.#sessionChanged.emit(id, true);
    // What is held of its rows is all of them, up to what it says next.
    if (resume !== null) this.#tellReported(session);
    return session;
  }

  #take(session: Session, message: ConnectRequest): void {
    const { registry, intake } = this.#options;
    if (!registry.isReporting(session.id, session.epoch)) return;
    if (message.beat?.facts) registry.heard(session.id, session.epoch, hostFactsFromWire(message.beat.facts));
    else registry.heard(session.id, session.epoch, null);
    if (message.beat) this.#trust.saidInBeat(session, message.beat.authorities);
    if (message.report) {
      intake.take(session.id, session.inventoryId, message.report);
      if (message.report.complete) this.#tellReported(session);
    }
    if (message.orderEnded) this.#options.orderEnded?.(session.id, message.orderEnded);
    if (message.goodbye) session.goodbye = 'stopped';
  }

  #tellReported(session: Session): void {
    if (session.isReported) return;
    session.isReported = true;
    this.#reported.emit(session.id);
  }

  #ended(session: Session): void {
    if (session.isOver) return;
    session.isOver = true;
    const { registry, clock, log } = this.#options;
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
    const heardAtMono = registry.heardAtMono(session.id) ?? session.openedMono;
    const silent = clock.monotonicMs() - heardAtMono >= MISSED_BEAT_MS;
    const reason = session.goodbye ?? session.dismissed ?? (silent ? 'silent' : 'stream_closed');
    registry.closed(session.id, session.epoch, reason);
    log.info({ hostAgent: session.id, epoch: String(session.epoch), reason }, 'uplink closed');
    this.#sessionChanged.emit(session.id, false);
  }

  #dismiss(session: Session, reason: LinkReason, detail: string): void {
    session.dismissed = reason;
    session.stream.write({ dismissed: { reason, detail } });
    session.stream.end();
    this.#ended(session);
  }
}
