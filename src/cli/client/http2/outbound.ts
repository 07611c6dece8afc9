/** What goes out on a connection: requests as the peer's windows allow, and answers to what it asks. */
import type { Socket } from 'node:net';
import type { Http2Call } from './call.ts';
import { frameHead, frameOf } from './frame.ts';
import { CODE, DEFAULT_WINDOW_BYTES, FLAG, FRAME, Http2Error, LARGEST_WINDOW_BYTES } from './protocol.ts';
import { PeerSettings } from './settings.ts';

/** Answers that the peer does not read: then it gets no more of them. */
const MAX_UNREAD_BYTES = 256 * 1024;

export class Outbound {
  readonly peer = new PeerSettings();
  readonly #socket: Socket;
  #window = DEFAULT_WINDOW_BYTES;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** To what the peer may ask without end. Throws ENHANCE_YOUR_CALM. */
  answer(bytes: Uint8Array): void {
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) {
      throw new Http2Error(CODE.enhanceYourCalm, 'asks and does not read the answers');
    }
    this.send(bytes);
  }

  begin(id: number, call: Http2Call, block: Buffer): void {
    const limit = this.peer.maxFrameBytes;
    let flags: number = call.unsent.length === 0 ? FLAG.endStream : 0;
    let type: number = FRAME.headers;
    for (let rest = block; rest.length > 0; rest = rest.subarray(limit)) {
      if (rest.length <= limit) flags |= FLAG.endHeaders;
      this.send(frameOf(type, flags, id, rest.subarray(0, limit)));
      type = FRAME.continuation;
      flags = 0;
    }
    this.pump(id, call);
  }

  /** As much of the request as both windows allow. */
  pump(id: number, call: Http2Call): void {
    while (call.unsent.length > 0) {
      const bytes = Math.min(call.unsent.length, this.#window, call.sendWindow, this.peer.maxFrameBytes);
      if (bytes <= 0) return;
      const part = call.unsent.subarray(0, bytes);
      call.unsent = call.unsent.subarray(bytes);
      call.sendWindow -= bytes;
      this.#window -= bytes;
      this.send(frameHead(FRAME.data, call.unsent.length === 0 ? FLAG.endStream : 0, id, bytes));
      this.send(part);
    }
  }

  /** Throws FLOW_CONTROL_ERROR beyond the largest window. */
  widen(bytes: number): void {
    this.#window += bytes;
    if (this.#window <= LARGEST_WINDOW_BYTES) return;
    throw new Http2Error(CODE.flowControl, 'window of the connection overflows');
  }
}
