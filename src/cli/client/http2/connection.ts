/**
 * HTTP/2 as a client over a local socket (RFC 9113): loading node:http2 costs more than a whole `ps` may take.
 * Bounded: one frame, one header block, a window for each call. Whatever is malformed ends it with a reason.
 */
import type { Socket } from 'node:net';
import { type HeaderFields, type Transport, TransportError } from '../transport.ts';
import { CALL_WINDOW_BYTES, type CallConnection, Http2Call } from './call.ts';
import { type Frame, frameOf, uint32, uint32Of, windowUpdate, withoutPadding } from './frame.ts';
import { Http2FrameReader } from './frame-reader.ts';
import { HeaderBlocks } from './header-blocks.ts';
import { encodeHeaders, MAX_HEADER_LIST_BYTES } from './hpack.ts';
import { Outbound } from './outbound.ts';
import { CODE, codeName, DEFAULT_WINDOW_BYTES, FLAG, FRAME, Http2Error } from './protocol.ts';
import { encodeSettings } from './settings.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const MAX_FRAME_BYTES = 64 * 1024;
/** Each call's own window is what bounds memory; this one never holds a call up because of another. */
const CONNECTION_WINDOW_BYTES = 16 * CALL_WINDOW_BYTES;
const LAST_STREAM_ID = 0x7fff_ffff;
const STREAM_MASK = 0x7fff_ffff;
const NOTHING = Buffer.alloc(0);

export class Http2Connection implements Transport, CallConnection {
  readonly #socket: Socket;
  readonly #out: Outbound;
  readonly #frames = new Http2FrameReader(MAX_FRAME_BYTES);
  readonly #blocks = new HeaderBlocks();
  readonly #calls = new Map<number, Http2Call>();
  #nextId = 1;
  /** Not allowed again yet. */
  #receivedBytes = 0;
  #isLeaving = false;
  #broken: TransportError | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#out = new Outbound(socket);
  }

  /** Says hello; the socket may still be connecting. */
  start(): this {
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#close(new TransportError(error.message, { errno: error.code ?? null, cause: error }));
    });
    for (const end of ['end', 'close']) this.#socket.on(end, () => this.#close(new TransportError('it was closed')));
    const settings = encodeSettings({
      headerTableSize: 0,
      enablePush: 0,
      initialWindowSize: CALL_WINDOW_BYTES,
      maxFrameSize: MAX_FRAME_BYTES,
      maxHeaderListSize: MAX_HEADER_LIST_BYTES,
    });
    const widened = windowUpdate(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
    this.#out.send(Buffer.concat([PREFACE, frameOf(FRAME.settings, 0, 0, settings), widened]));
    return this;
  }

  get isOpen(): boolean {
    return this.#broken === null && !this.#isLeaving && this.#nextId < LAST_STREAM_ID;
  }

  call(fields: HeaderFields, body: Uint8Array): Http2Call {
    const id = this.#nextId;
    const call = new Http2Call(id, this, body, this.#out.peer.initialWindowBytes);
    if (this.#broken) call.fail(this.#broken);
    else {
      this.#nextId += 2;
      this.#calls.set(id, call);
      this.#out.begin(id, call, encodeHeaders(fields));
    }
    return call;
  }

  allow(streamId: number, bytes: number): void {
    this.#out.send(windowUpdate(streamId, bytes));
  }

  reset(streamId: number, code: number): void {
    if (this.#calls.delete(streamId)) this.#out.send(frameOf(FRAME.reset, 0, streamId, uint32(code)));
  }

  [Symbol.dispose](): void {
    this.#close(new TransportError('it was closed here'));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.push(chunk)) {
        if (this.#broken) return;
        this.#take(frame);
      }
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.#out.send(frameOf(FRAME.goAway, 0, 0, Buffer.concat([uint32(0), uint32(error.code)])));
      this.#close(new TransportError(error.message, { cause: error }));
    }
  }

  #take(frame: Frame): void {
    if (!this.#out.peer.isKnown && frame.type !== FRAME.settings) throw breach('it begins without SETTINGS');
    if (this.#blocks.isOpen && frame.type !== FRAME.continuation) throw breach('headers were interrupted');
    switch (frame.type) {
      case FRAME.data:
        this.#takeData(frame);
        break;
      case FRAME.headers:
      case FRAME.continuation:
        this.#takeHeaders(frame);
        break;
      case FRAME.reset:
        this.#takeReset(frame);
        break;
      case FRAME.settings:
        this.#takeSettings(frame);
        break;
      case FRAME.pushPromise:
        throw breach('a push that was not allowed');
      case FRAME.ping:
        this.#takePing(frame);
        break;
      case FRAME.goAway:
        this.#takeGoAway(frame);
        break;
      case FRAME.windowUpdate:
        this.#takeWindowUpdate(frame);
        break;
      default:
      // PRIORITY, or of an extension: nothing that a client must know (RFC 9113, 4.1).
    }
  }

  #takeData(frame: Frame): void {
    const call = this.#callOf(frame.streamId);
    const data = withoutPadding(frame);
    this.#receivedBytes += frame.payload.length;
    if (this.#receivedBytes >= CONNECTION_WINDOW_BYTES / 2) {
      this.#out.answer(windowUpdate(0, this.#receivedBytes));
      this.#receivedBytes = 0;
    }
    const isEnd = (frame.flags & FLAG.endStream) !== 0;
    if (call) this.#tell(frame.streamId, call, isEnd, () => call.takeData(data, frame.payload.length));
  }

  #takeHeaders(frame: Frame): void {
    const call = this.#callOf(frame.streamId);
    const block = this.#blocks.push(frame);
    if (!call || !block) return;
    this.#tell(frame.streamId, call, block.isEnd, () => call.takeHeaders(block.fields, block.isEnd));
  }

  /** A message that is malformed by itself ends its own call only. */
  #tell(id: number, call: Http2Call, isEnd: boolean, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      call.fail(error);
      this.reset(id, CODE.protocol);
    }
    if (!isEnd) return;
    call.end();
    // The answer is whole: the rest of the request is of no use to anybody.
    if (call.unsent.length > 0) this.reset(id, CODE.cancel);
    this.#calls.delete(id);
  }

  #takeReset({ streamId, payload }: Frame): void {
    const call = this.#callOf(streamId);
    const code = uint32Of(payload, 'RST_STREAM');
    this.#calls.delete(streamId);
    call?.fail(new TransportError(`the call was reset: ${codeName(code)}`, { resetCode: code }));
  }

  #takeSettings({ flags, streamId, payload }: Frame): void {
    if (streamId !== 0) throw breach('SETTINGS of a stream');
    const widened = this.#out.peer.take(flags, payload);
    if (flags & FLAG.ack) return;
    for (const call of this.#calls.values()) call.widenSendWindow(widened);
    this.#out.answer(frameOf(FRAME.settings, FLAG.ack, 0, NOTHING));
    this.#pumpAll();
  }

  #takePing({ flags, streamId, payload }: Frame): void {
    if (streamId !== 0) throw breach('PING of a stream');
    if (payload.length !== 8) throw new Http2Error(CODE.frameSize, 'PING of another length than 8');
    if (!(flags & FLAG.ack)) this.#out.answer(frameOf(FRAME.ping, FLAG.ack, 0, payload));
  }

  /** Calls that the peer has begun may end; the others were never looked at. */
  #takeGoAway({ streamId, payload }: Frame): void {
    if (streamId !== 0) throw breach('GOAWAY of a stream');
    if (payload.length < 8) throw new Http2Error(CODE.frameSize, 'GOAWAY that is too short');
    this.#isLeaving = true;
    const lastId = payload.readUInt32BE(0) & STREAM_MASK;
    const reason = codeName(payload.readUInt32BE(4));
    for (const [id, call] of this.#calls) {
      if (id <= lastId) continue;
      this.#calls.delete(id);
      call.fail(new TransportError(`it goes away: ${reason}`));
    }
  }

  #takeWindowUpdate({ streamId, payload }: Frame): void {
    const bytes = uint32Of(payload, 'WINDOW_UPDATE') & STREAM_MASK;
    if (bytes === 0) throw breach('WINDOW_UPDATE by nothing');
    if (streamId === 0) {
      this.#out.widen(bytes);
      this.#pumpAll();
    } else {
      const call = this.#callOf(streamId);
      call?.widenSendWindow(bytes);
      if (call) this.#out.pump(streamId, call);
    }
  }

  #pumpAll(): void {
    for (const [id, call] of this.#calls) this.#out.pump(id, call);
  }

  /** undefined: a call that has ended here already. */
  #callOf(streamId: number): Http2Call | undefined {
    if (streamId % 2 === 1 && streamId < this.#nextId) return this.#calls.get(streamId);
    throw breach(`a frame of stream ${streamId}, which was never opened`);
  }

  #close(reason: TransportError): void {
    if (this.#broken) return;
    this.#broken = reason;
    this.#socket.destroy();
    for (const call of this.#calls.values()) call.fail(reason);
    this.#calls.clear();
  }
}

const breach = (what: string): Http2Error => new Http2Error(CODE.protocol, what);
