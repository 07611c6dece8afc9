/** What a gRPC channel asks of HTTP/2, whoever speaks it. Bytes in, bytes out; nothing here knows gRPC. */

/** Names in lower case, `:status` among them; values that came twice are joined by `, `. */
export type Headers = Readonly<Record<string, string>>;
export type HeaderFields = readonly (readonly [name: string, value: string])[];

/** One request and its answer. */
export interface Call {
  /** Known before the first chunk is. */
  readonly headers: Headers | null;
  /** Known when the chunks have ended, if any came. */
  readonly trailers: Headers | null;
  /** The answer's body at the reader's pace. Throws TransportError when it breaks, or the reason of `stop`. One reader. */
  chunks(): AsyncIterable<Uint8Array>;
  /** The peer stops working for this call, a reader gets `reason` at once. After the end it does nothing. */
  stop(reason: Error): void;
}

export interface Transport extends Disposable {
  /** Takes further calls. */
  readonly isOpen: boolean;
  /** Queued until there is a connection. */
  call(fields: HeaderFields, body: Uint8Array): Call;
}

/** A connection, or one call on it, that broke before gRPC could say anything. */
export class TransportError extends Error {
  /** The system's errno name, where the system said it. */
  readonly errno: string | null;
  /** HTTP/2 error code of the peer's reset (RFC 9113, 7); 0 where there was none. */
  readonly resetCode: number;

  constructor(message: string, options: { errno?: string | null; resetCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'TransportError';
    this.errno = options.errno ?? null;
    this.resetCode = options.resetCode ?? 0;
  }
}
