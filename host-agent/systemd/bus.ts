/**
 * One connection to a D-Bus daemon, the only file that knows the library. Every call has a deadline, the end of
 * the connection is always told, and no error of the library escapes as an event nobody hears.
 */
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  DBusError,
  Message,
  type MessageBus,
  MessageFlag,
  MessageType,
  sessionBus,
  Variant,
} from '@jellybrick/dbus-next';
import { FleetError } from '../../src/domain/errors.ts';
import { Listeners } from '../../src/runtime/listeners.ts';

export interface BusSignal {
  path: string;
  interface: string;
  member: string;
  body: unknown[];
}

export interface BusCall {
  destination: string;
  path: string;
  interface: string;
  member: string;
  signature?: string;
  body?: unknown[];
}

const CALL_TIMEOUT_MS = 5_000;

/** The library keeps its connection to itself, and with it the only sign that the daemon hung up. */
interface Wire extends EventEmitter {
  stream?: Duplex;
}
const wireOf = (bus: MessageBus): Wire => (bus as unknown as { _connection: Wire })._connection;

export class Bus {
  readonly #bus: MessageBus;
  readonly #signals = new Listeners<[BusSignal]>();
  readonly #closing = new AbortController();

  /** A connection that is still being made: `open` waits for it. */
  private constructor(address: string) {
    this.#bus = sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] });
  }

  /** `path` is the daemon's Unix socket. Rejects with UNAVAILABLE, in words. */
  static async open(path: string, timeoutMs = CALL_TIMEOUT_MS): Promise<Bus> {
    const bus = new Bus(`unix:path=${path}`);
    try {
      await bus.#greet(timeoutMs);
      return bus;
    } catch (error) {
      bus.close('never opened');
      throw error;
    }
  }

  /** Aborted when the connection has ended, with a FleetError as its reason. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  onSignal(listener: (signal: BusSignal) => void): Disposable {
    return this.#signals.add(listener);
  }

  /** The reply's body. Rejects with NOT_FOUND, UNAVAILABLE … and the peer's words; a late answer ends the connection. */
  async call(call: BusCall, timeoutMs = CALL_TIMEOUT_MS): Promise<unknown[]> {
    // Never starts a service that is not there: a user manager is no D-Bus activated program.
    const message = new Message({ ...call, flags: MessageFlag.NO_AUTO_START });
    try {
      const reply = await this.#within(this.#bus.call(message), timeoutMs);
      return (reply?.body ?? []).map(plain);
    } catch (error) {
      if (error instanceof FleetError) throw error;
      const code =
        error instanceof DBusError && /NoSuchUnit|FileNotFound|NoSuch/.test(error.type) ? 'NOT_FOUND' : 'UNAVAILABLE';
      throw new FleetError(code, `${call.member}: ${wordsOf(error)}`, { cause: error });
    }
  }

  addMatch(rule: string): Promise<unknown[]> {
    const daemon = 'org.freedesktop.DBus';
    const call = { destination: daemon, path: '/org/freedesktop/DBus', interface: daemon };
    return this.call({ ...call, member: 'AddMatch', signature: 's', body: [rule] });
  }

  close(words = 'closed'): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new FleetError('UNAVAILABLE', words));
    this.#bus.removeAllListeners('message');
    this.#bus.disconnect();
    wireOf(this.#bus).stream?.destroy();
  }

  async #greet(timeoutMs: number): Promise<void> {
    // Stays for good: an error event without a listener ends the process.
    this.#bus.on('error' as 'connect', ((error: unknown) => this.close(wordsOf(error))) as () => void);
    const wire = wireOf(this.#bus);
    wire.on('end', () => this.close('the bus closed the connection'));
    wire.once('connect', () => queueMicrotask(() => this.#guardReader(wire.stream)));
    this.#bus.on('message', (message) => {
      if (message.type === MessageType.SIGNAL) this.#signals.emit({ ...pick(message), body: message.body.map(plain) });
    });
    const connected = new Promise<void>((resolve) => this.#bus.once('connect', resolve));
    await this.#within(connected, timeoutMs);
    wire.stream?.once('close', () => this.close('the connection to the bus broke'));
  }

  /** The library (0.11) throws from its reader at a malformed message, where nobody could catch it. */
  #guardReader(stream: Duplex | undefined): void {
    for (const reader of stream?.listeners('readable') ?? []) {
      stream!.off('readable', reader as () => void);
      stream!.on('readable', () => {
        try {
          reader.call(stream);
        } catch (error) {
          this.close(wordsOf(error));
        }
      });
    }
  }

  async #within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
    const timer = setTimeout(() => this.close(`no answer within ${timeoutMs} ms`), timeoutMs);
    let ended: () => void = () => {};
    const end = new Promise<never>((_, reject) => {
      ended = () => reject(this.closed.reason);
      if (this.closed.aborted) ended();
      else this.closed.addEventListener('abort', ended, { once: true });
    });
    try {
      return await Promise.race([promise, end]);
    } finally {
      clearTimeout(timer);
      this.closed.removeEventListener('abort', ended);
    }
  }
}

const pick = (message: Message) => ({ path: message.path, interface: message.interface, member: message.member });

/** Variants carry their signature; who asks for a property knows its type. */
const plain = (value: unknown): unknown => (value instanceof Variant ? value.value : value);

const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'the socket is not there';
  if (code === 'EPIPE' || code === 'ECONNRESET') return 'the bus closed the connection';
  if (code === 'ECONNREFUSED') return 'nobody listens on the socket';
  return error.message.split('\n', 1)[0]!.slice(0, 200) || error.name;
};
