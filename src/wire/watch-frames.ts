/**
 * Frames of WatchAgents from their bytes. Rows, which are nearly all of a snapshot, stay where they are in the frame; the
 * rest is left to the generated codec. Throws what that throws on bytes that are no such message.
 */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { type AgentEntry, Changes, WatchAgentsResponse } from './gen/fleet/v1/view.ts';
import { KnownTexts } from './known-texts.ts';

/** Tags of view.proto: `WatchAgentsResponse.changes`, `Changes.agents`, and the fields of AgentEntry. */
const CHANGES = 0x12;
const AGENTS = 0x12;
const HOST_AGENT = 0x0a;
const KEY = 0x12;
const ROW = 0x1a;

/** A row between two places of its frame, made a Buffer of its own by whoever wants one. */
export class FrameEntry implements AgentEntry {
  hostAgent = '';
  key = '';
  readonly frame: Buffer;
  start = 0;
  end = 0;

  constructor(frame: Buffer) {
    this.frame = frame;
  }

  get row(): Buffer {
    return this.frame.subarray(this.start, this.end);
  }
}

export const decodeFrame = (bytes: Uint8Array): WatchAgentsResponse => {
  const reader = new BinaryReader(bytes);
  if (reader.len === 0 || reader.uint32() !== CHANGES) return WatchAgentsResponse.decode(bytes);
  const end = reader.uint32() + reader.pos;
  // Anything beside the changes, or less than was announced: not what our daemons send.
  if (end !== reader.len) return WatchAgentsResponse.decode(bytes);
  return { changes: readChanges(reader, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) };
};

const readChanges = (reader: BinaryReader, bytes: Buffer): Changes => {
  const texts = new KnownTexts();
  const agents: AgentEntry[] = [];
  const others: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const from = reader.pos;
    const tag = reader.uint32();
    if (tag === AGENTS) agents.push(readEntry(reader, bytes, texts));
    else {
      reader.skip(tag & 7, tag >>> 3);
      others.push(bytes.subarray(from, reader.pos));
    }
  }
  return { ...Changes.decode(Buffer.concat(others)), agents };
};

const readEntry = (reader: BinaryReader, frame: Buffer, texts: KnownTexts): FrameEntry => {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('an agent entry ends beyond its frame');
  const entry = new FrameEntry(frame);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag !== HOST_AGENT && tag !== KEY && tag !== ROW) {
      reader.skip(tag & 7, tag >>> 3);
      continue;
    }
    const length = reader.uint32();
    const start = reader.pos;
    reader.pos += length;
    if (reader.pos > end) throw new RangeError('an agent entry ends elsewhere than it said');
    if (tag === HOST_AGENT) entry.hostAgent = texts.read(frame, start, reader.pos);
    else if (tag === KEY) entry.key = texts.read(frame, start, reader.pos);
    else {
      entry.start = start;
      entry.end = reader.pos;
    }
  }
  if (reader.pos !== end) throw new RangeError('an agent entry ends elsewhere than it said');
  return entry;
};
