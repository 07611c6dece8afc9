/**
 * gRPC calls without a gRPC library, which costs a one-shot command more than its work. One connection each;
 * messages go in and out as bytes. Never retries, never buffers more than HTTP/2's window and one message.
 */
import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { FleetError } from '../../domain/errors.ts';
import { FrameReader, frameMessage } from './frames.ts';
import { Http2Connection } from './http2/connection.ts';
import { errorOfResponse, errorOfTrailers, errorOfTransport } from './status.ts';
import { connectOverTls } from './tls-transport.ts';
import { type Call, type HeaderFields, type Headers, type Transport, TransportError } from './transport.ts';

export interface Endpoint {
  /** A Unix socket, a host and port with TLS, or a line that somebody opens; `called` names it until it is. */
  at: { path: string } | { host: string; port: number; tls: ConnectionOptions } | Opener;
  /** `host-agent`, `controller`: for messages. */
  what: string;
  /** What to do when nothing listens there. */
  mend: string;
}

interface Opener {
  /** The signal aborts when nobody waits for it any more; the call that it is for is given up after `withinMs`. */
  open: (signal: AbortSignal, withinMs: number) => Promise<{ transport: Transport; address: string }>;
  called: string;
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

/** The most that eight digits of milliseconds can say (gRPC over HTTP2, "Timeout"). */
const MAX_TIMEOUT_MS = 99_999_999;

export class GrpcChannel implements Disposable {
  readonly #endpoint: Endpoint;
  #transport: Transport | null = null;
  /** Left by a service that goes away; their calls may still end well. */
  readonly #former: Transport[] = [];
  #opening: Promise<Transport> | null = null;
  readonly #left = new AbortController();
  #address: string | null = null;

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
    const transport = await withinLimits(this.#connected(options), method, options);
    const isTls = !('path' in this.#endpoint.at);
    const call = transport.call(requestFields(method.path, options, isTls), frameMessage(method.encode(request)));
    const limits = new CallLimits(call, method, options);
    const frames = new FrameReader(options.maxMessageBytes);
    try {
      for await (const chunk of call.chunks()) {
        this.#checkAnswer(call);
        for (const bytes of frames.push(chunk as Buffer)) yield decoded(method, bytes);
      }
      this.#checkAnswer(call);
      const failure = errorOfTrailers(statusOf(call));
      if (failure) throw statusOf(call) ? failure : this.#named(failure);
      if (frames.isMidMessage) throw new FleetError('DATA_LOSS', `${method.path} ended inside a message`);
    } catch (error) {
      throw this.#explain(error, call);
    } finally {
      limits.release();
      // After a clean end this does nothing; else the service stops working for a caller who has left.
      call.stop(cancelled(method));
    }
  }

  /** Drops the connection and every call on it, so that the process can end. */
  [Symbol.dispose](): void {
    this.#left.abort(cancelled({ path: 'a call' }));
    for (const transport of [...this.#former, this.#transport]) transport?.[Symbol.dispose]();
    this.#transport = null;
  }

  async #connected({ deadlineMs = Number.POSITIVE_INFINITY }: CallOptions): Promise<Transport> {
    if (this.#transport?.isOpen) return this.#transport;
    if (this.#transport) this.#former.push(this.#transport);
    this.#transport = null;
    this.#opening ??= this.#open(deadlineMs).finally(() => {
      this.#opening = null;
    });
    return await this.#opening;
  }

  async #open(withinMs: number): Promise<Transport> {
    const { at } = this.#endpoint;
    if ('path' in at) this.#transport = new Http2Connection(connect(at.path)).start();
    else if ('host' in at) this.#transport = await connectOverTls(at.host, at.port, at.tls);
    else {
      const { transport, address } = await at.open(this.#left.signal, withinMs);
      this.#transport = transport;
      this.#address = address;
    }
    if (this.#left.signal.aborted) this.#transport[Symbol.dispose]();
    return this.#transport;
  }

  #where(): { what: string; address: string; mend: string } {
    const { at, what, mend } = this.#endpoint;
    const address = 'path' in at ? at.path : 'host' in at ? `${at.host}:${at.port}` : (this.#address ?? at.called);
    return { what, mend, address };
  }

  /** What is no gRPC is not read as such. A status may come with the headers, when nothing else does. */
  #checkAnswer({ headers }: Call): void {
    if (headers === null || headers['grpc-status'] !== undefined) return;
    const refusal = errorOfResponse(headers);
    if (refusal) throw this.#named(refusal);
  }

  /** In words of ours, which do not say who is meant. */
  #named(failure: FleetError): FleetError {
    const { what, address } = this.#where();
    return new FleetError(failure.code, `${what} at ${address}: ${failure.message}`);
  }

  #explain(error: unknown, call: Call): unknown {
    if (!(error instanceof TransportError)) return error;
    const status = statusOf(call);
    // A refusal that came before the break is the service's own word.
    return (status && errorOfTrailers(status)) ?? errorOfTransport(error, this.#where());
  }
}

/** Trailers with a status, or headers with one where the answer has nothing else. */
const statusOf = ({ headers, trailers }: Call): Headers | null =>
  [trailers, headers].find((fields) => fields?.['grpc-status'] !== undefined) ?? null;

const requestFields = (path: string, { deadlineMs }: CallOptions, isTls: boolean): HeaderFields => [
  [':method', 'POST'],
  [':scheme', isTls ? 'https' : 'http'],
  [':path', path],
  [':authority', 'localhost'],
  ['content-type', 'application/grpc+proto'],
  ['te', 'trailers'],
  ['user-agent', 'fleet-cli'],
  ...(deadlineMs === undefined
    ? []
    : [['grpc-timeout', `${Math.min(Math.ceil(deadlineMs), MAX_TIMEOUT_MS)}m`] as const]),
];

const cancelled = (method: { path: string }): FleetError => new FleetError('CANCELLED', `${method.path} was cancelled`);

const decoded = <R>(method: Method<never, R>, bytes: Uint8Array): R => {
  try {
    return method.decode(bytes);
  } catch (cause) {
    throw new FleetError('INTERNAL', `${method.path} sent a message that cannot be read`, { cause });
  }
};

/** The wait for a connection counts to the call. */
const withinLimits = async <T>(
  opening: Promise<T>,
  method: { path: string },
  { deadlineMs, signal }: CallOptions,
): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = (): void => reject(cancelled(method));
  const timer = deadlineMs === undefined ? null : setTimeout(() => reject(late(method, deadlineMs)), deadlineMs);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([opening, promise]);
  } finally {
    // Whoever does not wait for it any more does not hear how it ended.
    opening.catch(() => {});
    if (timer) clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
};

const late = (method: { path: string }, deadlineMs: number): FleetError =>
  new FleetError('DEADLINE_EXCEEDED', `no answer within ${deadlineMs / 1_000} s (${method.path.split('/').at(-1)})`);

/** Our own ends of a call: its deadline and its caller's signal. */
class CallLimits {
  readonly #timer: NodeJS.Timeout | null;
  readonly #signal: AbortSignal | undefined;
  readonly #abort: () => void;

  constructor(call: Call, method: { path: string }, { deadlineMs, signal }: CallOptions) {
    this.#abort = () => call.stop(cancelled(method));
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#timer = deadlineMs === undefined ? null : setTimeout(() => call.stop(late(method, deadlineMs)), deadlineMs);
  }

  release(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}
