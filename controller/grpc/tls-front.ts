/**
 * TCP in, authenticated TLS sockets out. Whatever a peer does before its handshake ends costs one slot for a few
 * seconds and disturbs nobody; what comes out is a TLS 1.3 socket that speaks h2.
 */
import { constants } from 'node:crypto';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { FleetError } from '../../src/domain/errors.ts';
import { callerNetwork, isLoopbackAddress } from '../../src/runtime/caller-network.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { HandshakeTurns, type TurnLimits } from './handshake-turns.ts';
import type { LogBudget } from './log-budget.ts';

export interface TlsMaterial {
  /** Leaf first, then the authority: a joining host checks its fingerprint. */
  certificatePem: string;
  keyPem: string;
  /** Every authority whose leaves may come in. */
  trustPem: string;
}

export interface FrontLimits extends TurnLimits {
  /** From its beginning, not from when it began to wait. */
  handshakeTimeoutMs: number;
  /** Unfinished handshakes, over all peers and for one network (caller-network.ts) that is not loopback. */
  maxHandshakes: number;
  maxHandshakesPerAddress: number;
  maxConnections: number;
}

export const FRONT_LIMITS: FrontLimits = {
  handshakesPerTurn: 4,
  maxHandshakesAtOnce: 64,
  slowHandshakeMs: 1_000,
  maxHandshakeWaitMs: 4_000,
  handshakeTimeoutMs: 5_000,
  maxHandshakes: 2_048,
  maxHandshakesPerAddress: 128,
  maxConnections: 20_000,
};

/** By the code of the error. */
const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program',
  EADDRNOTAVAIL: 'is none of this machine',
  EACCES: 'may not be opened by this user (ports below 1024 are the administrator’s)',
};

const textOf = (listener: NetServer): string => {
  const address = listener.address();
  if (address === null || typeof address === 'string') return '';
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
};

const contextOf = (material: TlsMaterial): SecureContextOptions => ({
  cert: material.certificatePem,
  key: material.keyPem,
  ca: material.trustPem,
  minVersion: 'TLSv1.3',
  // A resumed session would skip the look at the peer's certificate.
  secureOptions: constants.SSL_OP_NO_TICKET,
});

/** The four numbers that name a TCP connection. */
const tupleOf = (socket: Socket): string =>
  `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;

export class TlsFront {
  readonly #tls: TlsServer;
  readonly #limits: FrontLimits;
  readonly #turns: HandshakeTurns<Socket>;
  readonly #listeners = new Set<NetServer>();
  readonly #open = new Set<Socket>();
  /** Unfinished handshakes, also those that wait for their turn. */
  readonly #shaking = new Map<string, { network: string | null; socket: Socket }>();

  constructor(
    options: { material: TlsMaterial; clock: Clock; log: Logger; budget: LogBudget; limits: FrontLimits },
    onSocket: (socket: TLSSocket) => void,
  ) {
    const { material, clock, log, budget, limits } = options;
    this.#limits = limits;
    this.#turns = new HandshakeTurns({
      clock,
      limits,
      begin: (socket) => this.#begin(socket),
      letGo: (socket) => void socket.destroy(),
    });
    this.#tls = createTlsServer({
      ...contextOf(material),
      requestCert: true,
      // A host that is to be enrolled has no certificate yet; the door decides what it may reach.
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeTimeoutMs,
      // As a list it would be copied for each connection, into Node's pool, and keep as many pieces of 64 KiB alive.
      ALPNCallback: ({ protocols }) => protocols.find((protocol) => protocol === 'h2'),
    });
    this.#tls.on('secureConnection', (socket) => {
      this.#shaken(tupleOf(socket));
      socket.on('error', () => socket.destroy());
      if (socket.alpnProtocol === 'h2') onSocket(socket);
      else socket.destroy();
    });
    this.#tls.on('tlsClientError', (error, socket) => {
      socket.destroy();
      const keptBack = budget.take();
      if (keptBack !== null) log.info({ why: error.message, keptBack }, 'tls handshake refused');
    });
  }

  /** New handshakes use the new material; open connections keep theirs. */
  rotate(material: TlsMaterial): void {
    this.#tls.setSecureContext(contextOf(material));
  }

  get listening(): string[] {
    return [...this.#listeners].map(textOf);
  }

  /**
   * The bound host:port. Opening all interfaces takes the place of narrower listeners on that port; connections
   * stay. ALREADY_EXISTS when the port is taken, INVALID_ARGUMENT for an impossible address.
   */
  async listen(host: string, port: number): Promise<string> {
    const narrower = host === '::' || host === '0.0.0.0' ? this.#listenersAt(port) : [];
    await Promise.all(narrower.map((listener) => this.#close(listener)));
    try {
      return await this.#bind(host, port);
    } catch (error) {
      for (const { address } of narrower) await this.#bind(address, port);
      throw error;
    }
  }

  /** Closes the listeners and ends every connection, also unfinished ones. */
  stop(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    this.#turns.stop();
    for (const socket of this.#open) socket.destroy();
  }

  #listenersAt(port: number): { server: NetServer; address: string }[] {
    return [...this.#listeners].flatMap((server) => {
      const bound = server.address();
      return bound !== null && typeof bound === 'object' && bound.port === port
        ? [{ server, address: bound.address }]
        : [];
    });
  }

  #close({ server }: { server: NetServer }): Promise<void> {
    this.#listeners.delete(server);
    // Its callback would wait for the connections, which stay; the port is free when this tick ends.
    server.close();
    return new Promise((resolve) => setImmediate(resolve));
  }

  #bind(host: string, port: number): Promise<string> {
    // Read by nobody before its turn: what a stranger sends meanwhile is held by its own side.
    const listener = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#accept(socket));
    return new Promise((resolve, reject) => {
      listener.once('error', (error: NodeJS.ErrnoException) => {
        const code = error.code === 'EADDRINUSE' ? 'ALREADY_EXISTS' : 'INVALID_ARGUMENT';
        const what = WHY_NOT[error.code ?? ''] ?? `cannot be opened (${error.code})`;
        reject(new FleetError(code, `address ${host}:${port} ${what}: choose another`, { cause: error }));
      });
      listener.listen({ host, port }, () => {
        this.#listeners.add(listener);
        resolve(textOf(listener));
      });
    });
  }

  #accept(socket: Socket): void {
    const { remoteAddress } = socket;
    // null: of this host; undefined: the peer has left already.
    const network = remoteAddress && (isLoopbackAddress(remoteAddress) ? null : callerNetwork(remoteAddress));
    if (network === undefined || this.#open.size >= this.#limits.maxConnections || this.#isCrowded(network)) {
      socket.destroy();
      return;
    }
    const tuple = tupleOf(socket);
    this.#open.add(socket);
    this.#shaking.set(tuple, { network, socket });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#open.delete(socket);
      this.#shaken(tuple);
    });
    this.#turns.add(socket, network);
  }

  /**
   * With its first bytes, for which there is as much time as for all that follows: the buffer that Node.js 24.21 makes for
   * what comes in is 64 KiB for the life of the connection, and a quarter of that where something is there already.
   */
  #begin(socket: Socket): void {
    const late = setTimeout(() => socket.destroy(), this.#limits.handshakeTimeoutMs);
    socket.once('close', () => clearTimeout(late));
    socket.once('readable', () => {
      clearTimeout(late);
      if (!socket.destroyed) this.#tls.emit('connection', socket);
    });
    socket.read(0);
  }

  #shaken(tuple: string): void {
    const over = this.#shaking.get(tuple);
    this.#shaking.delete(tuple);
    if (over !== undefined) this.#turns.remove(over.socket);
  }

  #isCrowded(network: string | null): boolean {
    if (this.#shaking.size >= this.#limits.maxHandshakes) return true;
    if (network === null || this.#shaking.size < this.#limits.maxHandshakesPerAddress) return false;
    let same = 0;
    for (const other of this.#shaking.values()) if (other.network === network) same++;
    return same >= this.#limits.maxHandshakesPerAddress;
  }
}
