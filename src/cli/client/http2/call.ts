/**
 * One request on a connection of ours: what has come and was not read yet, and what was not sent yet.
 *
 *   waiting ──headers──▶ answering ──end of stream──▶ ended
 *      └───────────reset, break, stop, bad headers──────▲
 */
import { type Call, type Headers, TransportError } from '../transport.ts';
import { CODE, DEFAULT_WINDOW_BYTES, Http2Error, LARGEST_WINDOW_BYTES } from './protocol.ts';

/** What a call needs of its connection. */
export interface CallConnection {
  /** Gives the peer leave to send this much more of the call's body. */
  allow(streamId: number, bytes: number): void;
  /** Tells the peer that the call is over, and forgets it. */
  reset(streamId: number, code: number): void;
}

/** The most that a peer may send before it is read. */
export const CALL_WINDOW_BYTES = 1024 * 1024;

export class Http2Call implements Call {
  headers: Headers | null = null;
  trailers: Headers | null = null;
  /** Of the request; the connection sends it as the peer's windows allow. */
  unsent: Uint8Array;
  sendWindow: number;
  readonly #id: number;
  readonly #connection: CallConnection;
  #chunks: Buffer[] = [];
  /** Left of what we allowed, and read but not allowed again yet. */
  #receiveWindow = CALL_WINDOW_BYTES;
  #readBytes = 0;
  #isEnded = false;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  constructor(id: number, connection: CallConnection, body: Uint8Array, sendWindow = DEFAULT_WINDOW_BYTES) {
    this.#id = id;
    this.#connection = connection;
    this.unsent = body;
    this.sendWindow = sendWindow;
  }

  async *chunks(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#consumed(chunk.length);
        yield chunk;
      } else if (this.#failure) throw this.#failure;
      else if (this.#isEnded) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  stop(reason: Error): void {
    if (this.#isEnded) return;
    this.#chunks = [];
    this.fail(reason);
    this.#connection.reset(this.#id, CODE.cancel);
  }

  /** What came before is still read. */
  fail(reason: Error): void {
    if (this.#isEnded) return;
    this.#failure = reason;
    this.end();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** A header block that came whole. Throws TransportError when it makes the message malformed. */
  takeHeaders(fields: readonly [string, string][], isEnd: boolean): void {
    const headers = headersOf(fields, this.headers === null);
    // An interim answer (RFC 9110, 15.2) announces another.
    if (this.headers === null && headers[':status']?.startsWith('1') && !isEnd) return;
    if (this.headers === null) this.headers = headers;
    else if (isEnd) this.trailers = headers;
    else throw new TransportError('headers came twice');
  }

  /** `framedBytes` counts padding, too. Throws FLOW_CONTROL_ERROR when the peer sends more than it may. */
  takeData(data: Buffer, framedBytes: number): void {
    this.#receiveWindow -= framedBytes;
    if (this.#receiveWindow < 0) throw new Http2Error(CODE.flowControl, 'more data than was allowed');
    if (this.headers === null) throw new TransportError('data came before headers');
    if (framedBytes > data.length) this.#consumed(framedBytes - data.length);
    if (data.length === 0) return;
    this.#chunks.push(data);
    this.#wake();
  }

  /** Throws FLOW_CONTROL_ERROR beyond the largest window. */
  widenSendWindow(bytes: number): void {
    this.sendWindow += bytes;
    if (this.sendWindow > LARGEST_WINDOW_BYTES) throw new Http2Error(CODE.flowControl, 'window of a stream overflows');
  }

  #consumed(bytes: number): void {
    this.#readBytes += bytes;
    if (this.#isEnded || this.#readBytes < CALL_WINDOW_BYTES / 2) return;
    this.#connection.allow(this.#id, this.#readBytes);
    this.#receiveWindow += this.#readBytes;
    this.#readBytes = 0;
  }
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const STATUS = /^[1-9]\d\d$/;

/** Throws TransportError for fields that make a message malformed (RFC 9113, 8.1.1). */
const headersOf = (fields: readonly [string, string][], isFirst: boolean): Headers => {
  // No prototype: a header may have any name.
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of fields) {
    const isStatus = isFirst && name === ':status' && STATUS.test(value) && !(name in headers);
    if (!isStatus && !NAME.test(name)) throw new TransportError('malformed header');
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  if (isFirst && !(':status' in headers)) throw new TransportError('answer without a status');
  return headers;
};
