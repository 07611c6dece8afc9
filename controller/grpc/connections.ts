/**
 * Sockets that came out of the handshake: how many there may be of strangers, of one identity and of one address, and whom
 * they belong to. What is within the bounds goes on to its audience.
 */
import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { FleetError } from '../../src/domain/errors.ts';
import { callerNetwork } from '../../src/runtime/caller-network.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Door } from './door.ts';
import type { LogBudget } from './log-budget.ts';
import type { Audience, ServerLimits } from './server-limits.ts';
import { Tally } from './tally.ts';
import { turnAway } from './turn-away.ts';

interface Connection {
  socket: TLSSocket;
  leaf: Uint8Array | null;
  /** Who its certificate proves; null of a stranger. */
  holder: string | null;
}

export interface ConnectionsContext {
  door: Pick<Door, 'holderOf'>;
  limits: ServerLimits;
  log: Logger;
  /** Bounds the lines that crowds cause. */
  budget: LogBudget;
  goOn: (audience: Audience, socket: TLSSocket) => void;
}

/** Of one holder, told at once why there is no more room; more than these hear nothing. */
const MAX_TOLD = 8;

export class Connections {
  readonly #context: ConnectionsContext;
  readonly #open = new Set<Connection>();
  /** By remote address and port: for words in the log, never for proof. */
  readonly #shown = new Map<string, Connection>();
  /** By identity, and by network where there is none. */
  readonly #held = new Tally();
  readonly #told = new Tally();
  #strangers = 0;

  constructor(context: ConnectionsContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#open.size;
  }

  welcome(socket: TLSSocket): void {
    const { door, limits, goOn } = this.#context;
    const leaf = leafOf(socket);
    const holder = socket.authorized && leaf !== null ? door.holderOf(leaf) : null;
    const isKnown = holder !== null;
    const held = holder ?? callerNetwork(`${socket.remoteAddress}`);
    if (!isKnown && this.#strangers >= limits.maxStrangers) {
      socket.destroy();
      return;
    }
    if (this.#held.of(held) >= (isKnown ? limits.maxPerIdentity : limits.maxStrangersPerAddress)) {
      this.#refuse(socket, held);
      return;
    }
    const name = nameOf(socket);
    const connection: Connection = { socket, leaf, holder };
    this.#open.add(connection);
    this.#shown.set(name, connection);
    this.#held.add(held);
    const lifetime = isKnown ? undefined : setTimeout(() => socket.destroy(), limits.strangerLifetimeMs);
    if (!isKnown) this.#strangers++;
    socket.on('close', () => {
      clearTimeout(lifetime);
      if (!isKnown) this.#strangers--;
      this.#held.remove(held);
      this.#open.delete(connection);
      if (this.#shown.get(name) === connection) this.#shown.delete(name);
    });
    goOn(isKnown ? 'known' : 'strangers', socket);
  }

  /** The certificate that was shown on the connection of that remote address and port, accepted or not. */
  leafShownBy(name: string): Uint8Array | null {
    return this.#shown.get(name)?.leaf ?? null;
  }

  /** Ends connections of an identity, or of a domain, that prove none any more, when their streams have said why. */
  cutFallen(spiffeId: string): void {
    const { door, limits } = this.#context;
    for (const { socket, leaf, holder } of this.#open) {
      const isMeant = holder !== null && (isWithin(holder, spiffeId) || isWithin(spiffeId, holder));
      if (!isMeant || leaf === null || door.holderOf(leaf) !== null) continue;
      setTimeout(() => socket.destroy(), limits.graceMs);
    }
  }

  stop(): void {
    for (const { socket } of this.#open) socket.destroy();
  }

  #refuse(socket: TLSSocket, held: string): void {
    const { limits, log, budget } = this.#context;
    const keptBack = budget.take();
    if (keptBack !== null) log.warn({ held, keptBack }, 'connection turned away: too many are open');
    if (this.#told.of(held) >= MAX_TOLD) {
      socket.destroy();
      return;
    }
    this.#told.add(held);
    socket.on('close', () => this.#told.remove(held));
    const why = `${this.#held.of(held)} connections of ${held} are open, which is all that it may have: close some`;
    turnAway(socket, new FleetError('RESOURCE_EXHAUSTED', why), limits.handshakeTimeoutMs);
  }
}

const isWithin = (inner: string, outer: string): boolean => `${inner}/`.startsWith(`${outer}/`);

/** The same bytes from now on, also for the library, which asks at each call: Node.js takes them apart anew each time. */
const leafOf = (socket: TLSSocket): Uint8Array | null => {
  const raw = socket.getPeerX509Certificate()?.raw;
  const told = (raw === undefined ? {} : { raw }) as PeerCertificate;
  socket.getPeerCertificate = (() => told) as TLSSocket['getPeerCertificate'];
  return raw ?? null;
};

const nameOf = (socket: Socket): string => `${socket.remoteAddress}:${socket.remotePort}`;
