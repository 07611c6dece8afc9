/** HTTP/2 over TLS by node:http2, which is slow to load: only a call to another machine does so. */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { type Call, type HeaderFields, type Headers, type Transport, TransportError } from './transport.ts';

/** A snapshot of thousands of rows comes without waiting for updates. */
const WINDOW_BYTES = 1024 * 1024;

/** RFC 9113, 7. */
const CANCEL = 8;

export const connectOverTls = (host: string, port: number, tls: ConnectionOptions): Promise<Transport> =>
  begin(host, port, tls);

/** Once both sides have proven who they are. Throws TransportError, or the signal's reason. */
export const connectedOverTls = async (
  host: string,
  port: number,
  tls: ConnectionOptions,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Transport> => {
  const transport = await begin(host, port, tls);
  try {
    await transport.connected(timeoutMs, signal);
    return transport;
  } catch (error) {
    transport[Symbol.dispose]();
    throw error;
  }
};

const begin = async (host: string, port: number, tls: ConnectionOptions): Promise<TlsTransport> => {
  const [http2, { connect }] = await Promise.all([import('node:http2'), import('node:tls')]);
  const socket = connect({ ...tls, host, port, ALPNProtocols: ['h2'] });
  const session = http2.connect(`https://${host}:${port}`, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
  });
  return new TlsTransport(session, socket).start();
};

class TlsTransport implements Transport {
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  #failure: TransportError | null = null;

  constructor(session: ClientHttp2Session, socket: TLSSocket) {
    this.#session = session;
    this.#socket = socket;
  }

  start(): this {
    this.#session.on('connect', () => this.#session.setLocalWindowSize(WINDOW_BYTES));
    // Each call hears of it too; kept because a stream's own error may say less than the connection's.
    this.#session.on('error', (error) => {
      this.#failure = brokenBy(error);
    });
    return this;
  }

  connected(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = new TransportError(`no answer within ${timeoutMs / 1_000} s`, { errno: 'ETIMEDOUT' });
    const timer = setTimeout(() => reject(late), timeoutMs);
    const cancel = (): void => reject(signal.reason);
    this.#session.once('connect', () => resolve());
    this.#session.once('error', (error) => reject(brokenBy(error)));
    this.#session.once('close', () => reject(new TransportError('the connection was closed')));
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    });
  }

  get isOpen(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  call(fields: HeaderFields, body: Uint8Array): Call {
    const stream = this.#session.request(Object.fromEntries(fields) as OutgoingHttpHeaders);
    const call = new TlsCall(stream, () => this.#failure);
    stream.end(body);
    return call;
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
    // A session that never stood leaves a socket that dials on for minutes, and the process with it (Node 24).
    this.#socket.destroy();
  }
}

class TlsCall implements Call {
  headers: Headers | null = null;
  trailers: Headers | null = null;
  readonly #stream: ClientHttp2Stream;
  readonly #sessionFailure: () => TransportError | null;
  #reason: Error | null = null;

  constructor(stream: ClientHttp2Stream, sessionFailure: () => TransportError | null) {
    this.#stream = stream;
    this.#sessionFailure = sessionFailure;
    stream.on('response', (headers) => {
      this.headers = plain(headers);
    });
    stream.on('trailers', (trailers) => {
      this.trailers = plain(trailers);
    });
    // The reader hears of it; without a listener a late one would end the process.
    stream.on('error', () => {});
  }

  async *chunks(): AsyncGenerator<Buffer, void, void> {
    try {
      for await (const chunk of this.#stream) yield chunk as Buffer;
    } catch (error) {
      throw this.#reason ?? this.#sessionFailure() ?? brokenBy(error as Error, this.#stream.rstCode);
    }
    if (this.#reason) throw this.#reason;
  }

  stop(reason: Error): void {
    if (this.#stream.closed) return;
    this.#reason = reason;
    this.#stream.close(CANCEL);
    this.#stream.destroy(reason);
  }
}

const plain = (headers: IncomingHttpHeaders): Headers => {
  // No prototype: a header may have any name.
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers))
    fields[name] = Array.isArray(value) ? value.join(', ') : `${value}`;
  return fields;
};

const brokenBy = (error: NodeJS.ErrnoException, resetCode = 0): TransportError =>
  new TransportError(error.message, { errno: error.code ?? null, resetCode, cause: error });
