/** SETTINGS (RFC 9113, 6.5): ours as bytes, and what the peer's allow us. */
import {
  CODE,
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  Http2Error,
  LARGEST_FRAME_BYTES,
  LARGEST_WINDOW_BYTES,
  SETTING,
} from './protocol.ts';

const ENTRY_BYTES = 6;

export const encodeSettings = (settings: Readonly<Partial<Record<keyof typeof SETTING, number>>>): Buffer => {
  const names = Object.keys(settings) as (keyof typeof SETTING)[];
  const bytes = Buffer.allocUnsafe(names.length * ENTRY_BYTES);
  for (const [index, name] of names.entries()) {
    bytes.writeUInt16BE(SETTING[name], index * ENTRY_BYTES);
    bytes.writeUInt32BE(settings[name] ?? 0, index * ENTRY_BYTES + 2);
  }
  return bytes;
};

export class PeerSettings {
  /** It has introduced itself. */
  isKnown = false;
  initialWindowBytes = DEFAULT_WINDOW_BYTES;
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;

  /** By how much every call's send window grows; negative where it shrinks. Throws Http2Error. */
  take(flags: number, payload: Buffer): number {
    if (flags & FLAG.ack) {
      if (payload.length > 0 || !this.isKnown) throw new Http2Error(CODE.frameSize, 'SETTINGS that confirm nothing');
      return 0;
    }
    if (payload.length % ENTRY_BYTES !== 0) throw new Http2Error(CODE.frameSize, 'SETTINGS of a broken length');
    this.isKnown = true;
    const before = this.initialWindowBytes;
    for (let at = 0; at < payload.length; at += ENTRY_BYTES) {
      this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    return this.initialWindowBytes - before;
  }

  #set(id: number, value: number): void {
    if (id === SETTING.initialWindowSize) {
      if (value > LARGEST_WINDOW_BYTES) throw new Http2Error(CODE.flowControl, `SETTINGS with a window of ${value}`);
      this.initialWindowBytes = value;
    } else if (id === SETTING.maxFrameSize) {
      if (value < DEFAULT_MAX_FRAME_BYTES || value > LARGEST_FRAME_BYTES) {
        throw new Http2Error(CODE.protocol, `SETTINGS with frames of ${value} bytes`);
      }
      this.maxFrameBytes = value;
    }
  }
}
