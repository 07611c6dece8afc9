/**
 * Frames of WatchAgents from their bytes. Rows, which are nearly all of a snapshot, are cut out and not copied; the
 * rest is left to the generated codec. Throws what that throws on bytes that are no such message.
 */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { type AgentEntry, Changes, WatchAgentsResponse } from './gen/fleet/v1/view.ts';

/** Tags of view.proto: `WatchAgentsResponse.changes`, `Changes.agents`, and the fields of AgentEntry. */
const CHANGES = 0x12;
const AGENTS = 0x12;
const HOST_AGENT = 0x0a;
const KEY = 0x12;
const ROW = 0x1a;

export const decodeFrame = (bytes: Uint8Array): WatchAgentsResponse => {
  const reader = new BinaryReader(bytes);
  if (reader.len === 0 || reader.uint32() !== CHANGES) return WatchAgentsResponse.decode(bytes);
  const end = reader.uint32() + reader.pos;
  // Anything beside the changes, or less than was announced: not what our daemons send.
  if (end !== reader.len) return WatchAgentsResponse.decode(bytes);
  return { changes: readChanges(reader, bytes) };
};

const readChanges = (reader: BinaryReader, bytes: Uint8Array): Changes => {
  const names = new LastName();
  const agents: AgentEntry[] = [];
  const others: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const from = reader.pos;
    const tag = reader.uint32();
    if (tag === AGENTS) agents.push(readEntry(reader, names));
    else {
      reader.skip(tag & 7, tag >>> 3);
      others.push(bytes.subarray(from, reader.pos));
    }
  }
  return { ...Changes.decode(Buffer.concat(others)), agents };
};

const readEntry = (reader: BinaryReader, names: LastName): AgentEntry => {
  const end = reader.uint32() + reader.pos;
  const entry: AgentEntry = { hostAgent: '', key: '', row: NOTHING };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === HOST_AGENT) entry.hostAgent = names.textOf(reader.bytes());
    else if (tag === KEY) entry.key = reader.string();
    else if (tag === ROW) entry.row = bufferOf(reader.bytes());
    else reader.skip(tag & 7, tag >>> 3);
  }
  if (reader.pos !== end) throw new RangeError('an agent entry ends elsewhere than it said');
  return entry;
};

const NOTHING: Buffer = Buffer.alloc(0);

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** Rows of one host-agent come one after another. */
class LastName {
  #bytes: Buffer = NOTHING;
  #text = '';

  textOf(bytes: Uint8Array): string {
    if (this.#bytes.compare(bytes) !== 0) {
      this.#bytes = bufferOf(bytes);
      this.#text = this.#bytes.toString();
    }
    return this.#text;
  }
}
