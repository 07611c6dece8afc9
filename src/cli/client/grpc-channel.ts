/**
 * gRPC calls over node:http2, so that a one-shot command starts without a gRPC library. One connection each;
 * messages go in and out as bytes. Never retries, never buffers more than HTTP/2's window and one message.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { FleetError } from '../../domain/errors.ts';
import { FrameReader, frameMessage } from './frames.ts';
import { errorOfResponse, errorOfTrailers, errorOfTransport } from './status.ts';

export interface Endpoint {
  /** A Unix socket, or a host and port with TLS. */
  at: { path: string } | { host: string; port: number; tls: ConnectionOptions };
  /** `host-agent`, `controller`: for messages. */
  what: string;
  /** What to do when nothing listens there. */
  mend: string;
}

/** One method of a service, by the codecs of its messages. */
export interface Method<Request, Response> {
  /** `/fleet.v1.FleetService/WhoAmI`. */
  path: string;
  encode: (request: Request) => Uint8Array;
  decode: (bytes: Uint8Array) => Response;
}

export interface CallOptions {
  /** For the whole call; absent only for streams that follow. */
  deadlineMs?: number;
  signal?: AbortSignal;
  maxMessageBytes?: number;
}

/** Flow-control window: a snapshot of thousands of rows comes without waiting for updates. */
const WINDOW_BYTES = 1024 * 1024;
/** The most that eight digits of milliseconds can say (gRPC over HTTP2, "Timeout"). */
const MAX_TIMEOUT_MS = 99_999_999;

export class GrpcChannel implements Disposable {
  readonly #endpoint: Endpoint;
  #session: ClientHttp2Session | null = null;
  #failure: FleetError | null = null;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async unary<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions & { deadlineMs: number }): Promise<R> {
    let answer: R | undefined;
    let count = 0;
    for await (const message of this.stream(method, request, options)) {
      answer = message;
      count += 1;
    }
    if (count !== 1) throw new FleetError('INTERNAL', `${method.path} answered with ${count} messages instead of one`);
    return answer as R;
  }

  /** Ends when the service ends the call well; throws FleetError otherwise. Leaving the loop cancels the call. */
  async *stream<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions = {}): AsyncGenerator<R, void, void> {
    if (options.signal?.aborted) throw cancelled(method);
    const call = this.#open(method.path, options);
    const end = new CallEnd(call, method, options);
    const frames = new FrameReader(options.maxMessageBytes);
    try {
      call.end(frameMessage(method.encode(request)));
      for await (const chunk of call) {
        for (const bytes of frames.push(chunk as Buffer)) yield decoded(method, bytes);
      }
      const failure = end.reason ?? end.refusal ?? errorOfTrailers(end.trailers);
      if (failure) throw this.#named(failure);
      if (frames.isMidMessage) throw new FleetError('DATA_LOSS', `${method.path} ended inside a message`);
    } catch (error) {
      throw end.reason ?? this.#explain(error, end, call.rstCode);
    } finally {
      end.release();
      // After a clean end this does nothing; else the service stops working for a caller who has left.
      if (!call.closed) call.close(constants.NGHTTP2_CANCEL);
    }
  }

  /** Drops the connection and every call on it, so that the process can end. */
  [Symbol.dispose](): void {
    this.#session?.destroy();
    this.#session = null;
  }

  #open(path: string, options: CallOptions): ClientHttp2Stream {
    const timeoutMs = options.deadlineMs === undefined ? null : Math.min(Math.ceil(options.deadlineMs), MAX_TIMEOUT_MS);
    return this.#connected().request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      'user-agent': 'fleet-cli',
      ...(timeoutMs === null ? {} : { 'grpc-timeout': `${timeoutMs}m` }),
    });
  }

  #connected(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const { at } = this.#endpoint;
    this.#failure = null;
    const session = connect('path' in at ? 'http://localhost' : `https://${at.host}:${at.port}`, {
      createConnection: () =>
        'path' in at
          ? connectSocket(at.path)
          : connectTls({ ...at.tls, host: at.host, port: at.port, ALPNProtocols: ['h2'] }),
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    });
    session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    // Each call hears of it too; kept because a stream's own error may say less than the connection's.
    session.on('error', (error) => {
      this.#failure = errorOfTransport(error, this.#where());
    });
    this.#session = session;
    return session;
  }

  #where(): { what: string; address: string; mend: string } {
    const { at, what, mend } = this.#endpoint;
    return { what, mend, address: 'path' in at ? at.path : `${at.host}:${at.port}` };
  }

  #named(failure: FleetError): FleetError {
    if (failure.code !== 'UNAVAILABLE' || !failure.message.startsWith('the stream broke')) return failure;
    const { what, address } = this.#where();
    return new FleetError('UNAVAILABLE', `${what} at ${address}: ${failure.message}`);
  }

  #explain(error: unknown, end: CallEnd, resetCode: number | undefined): unknown {
    if (error instanceof FleetError) return error;
    if (end.trailers?.['grpc-status'] !== undefined) return errorOfTrailers(end.trailers) ?? error;
    const errno = error as NodeJS.ErrnoException;
    // A bug of ours must look like one: only what node's net, tls and http2 say carries a code.
    if (typeof errno.code !== 'string') return error;
    return this.#failure ?? errorOfTransport(errno, this.#where(), resetCode);
  }
}

const cancelled = (method: { path: string }): FleetError => new FleetError('CANCELLED', `${method.path} was cancelled`);

const decoded = <R>(method: Method<never, R>, bytes: Uint8Array): R => {
  try {
    return method.decode(bytes);
  } catch (cause) {
    throw new FleetError('INTERNAL', `${method.path} sent a message that cannot be read`, { cause });
  }
};

/** What is known of how one call ends: headers, trailers, our own deadline and cancellation. */
class CallEnd {
  /** We ended it. */
  reason: FleetError | null = null;
  /** Its first answer was no gRPC. */
  refusal: FleetError | null = null;
  trailers: IncomingHttpHeaders | undefined;
  readonly #timer: NodeJS.Timeout | null;
  readonly #signal: AbortSignal | undefined;
  readonly #abort: () => void;

  constructor(call: ClientHttp2Stream, method: { path: string }, options: CallOptions) {
    const stop = (reason: FleetError) => {
      this.reason ??= reason;
      call.destroy(reason);
    };
    this.#abort = () => stop(cancelled(method));
    this.#signal = options.signal;
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
    const { deadlineMs } = options;
    const late = () => stop(new FleetError('DEADLINE_EXCEEDED', `${method.path} did not end within ${deadlineMs} ms`));
    this.#timer = deadlineMs === undefined ? null : setTimeout(late, deadlineMs);
    call.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) this.trailers = headers;
      else this.refusal = errorOfResponse(headers);
    });
    call.on('trailers', (trailers) => {
      this.trailers = trailers;
    });
    // The reading loop throws it; without a listener a late one would end the process.
    call.on('error', () => {});
  }

  release(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}
