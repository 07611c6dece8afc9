/**
 * Where the fields of a message stand in its bytes: found in one pass, read when somebody asks. Going from message to message
 * makes nothing new. What is not as our own codec writes it is not followed; whoever asked leaves it to the codec.
 */
import type { KnownTexts } from './known-texts.ts';

/** Protobuf's wire types, as far as they are followed. */
const VARINT = 0;
const DOUBLE = 1;
const BYTES = 2;
/** BYTES again and again, without another field between. */
const REPEATED = 8;
/** Said twice, where that is for the codec to judge. */
const TWICE = 9;

const ABSENT = -1;
/** Behind the end of any bytes. */
const NOWHERE = Number.MAX_SAFE_INTEGER;
const NOTHING: Buffer = Buffer.alloc(0);

export class MessageScan {
  bytes: Buffer = NOTHING;
  /** A field was asked for that stands there in another way than it should. */
  isOdd = false;
  /** A field was passed over. */
  hasUnknown = false;
  /** By field number. */
  readonly #wires: Int8Array;
  readonly #tags: Int32Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** Behind what was read last. */
  #next = 0;

  /** Fields beyond `lastField` are passed over, as the codec does. */
  constructor(lastField: number) {
    this.#wires = new Int8Array(lastField + 1);
    this.#tags = new Int32Array(lastField + 1);
    this.#starts = new Int32Array(lastField + 1);
    this.#ends = new Int32Array(lastField + 1);
  }

  /** False: these bytes are not followed. */
  scan(bytes: Buffer, from: number, to: number): boolean {
    this.bytes = bytes;
    this.isOdd = false;
    this.hasUnknown = false;
    this.#wires.fill(ABSENT);
    for (let at = from; at < to; at = this.#next) {
      const tag = this.#varint(at);
      const field = tag >>> 3;
      const wire = tag & 7;
      const start = this.#skip(wire);
      if (this.#next > to || field === 0) return false;
      if (field < this.#wires.length) this.#put(field, wire, at, start);
      else this.hasUnknown = true;
    }
    return true;
  }

  has(field: number): boolean {
    return this.#wires[field] !== ABSENT;
  }

  isBytes(field: number): boolean {
    return this.#wires[field] === BYTES;
  }

  /** Where its tag begins. Of a field that is there, as all that follows. */
  tag(field: number): number {
    return this.#tags[field] as number;
  }

  start(field: number): number {
    return this.#starts[field] as number;
  }

  end(field: number): number {
    return this.#ends[field] as number;
  }

  text(field: number, texts: KnownTexts): string {
    this.#expect(field, BYTES);
    return texts.read(this.bytes, this.start(field), this.end(field));
  }

  textOrNull(field: number, texts: KnownTexts): string | null {
    return this.has(field) ? this.text(field, texts) : null;
  }

  uint32OrNull(field: number): number | null {
    if (!this.has(field)) return null;
    this.#expect(field, VARINT);
    return this.#varint(this.start(field));
  }

  doubleOrNull(field: number): number | null {
    if (!this.has(field)) return null;
    this.#expect(field, DOUBLE);
    return this.isOdd ? null : this.bytes.readDoubleLE(this.start(field));
  }

  /** Of a repeated text. */
  texts(field: number, known: KnownTexts): string[] {
    const texts: string[] = [];
    if (!this.has(field)) return texts;
    if (this.#wires[field] !== REPEATED) this.#expect(field, BYTES);
    for (let at = this.#tags[field] as number; !this.isOdd && at < this.end(field); ) {
      this.#varint(at);
      const length = this.#varint(this.#next);
      const start = this.#next;
      at = start + length;
      texts.push(known.read(this.bytes, start, at));
    }
    return texts;
  }

  #expect(field: number, wire: number): void {
    if (this.#wires[field] !== wire) this.isOdd = true;
  }

  #put(field: number, wire: number, tag: number, start: number): void {
    const before = this.#wires[field];
    if (before === ABSENT) {
      this.#wires[field] = wire;
      this.#tags[field] = tag;
      this.#starts[field] = start;
    } else {
      const follows = wire === BYTES && (before === BYTES || before === REPEATED) && this.#ends[field] === tag;
      this.#wires[field] = follows ? REPEATED : TWICE;
    }
    this.#ends[field] = this.#next;
  }

  /** Returns where the value begins, and stands behind it. */
  #skip(wire: number): number {
    const start = this.#next;
    if (wire === VARINT) this.#varint(start);
    else if (wire === DOUBLE) this.#next = start + 8;
    else if (wire === BYTES) {
      const length = this.#varint(start);
      const from = this.#next;
      this.#next = from + length;
      return from;
    } else this.#next = NOWHERE;
    return start;
  }

  /** Of 32 bits, unsigned. */
  #varint(at: number): number {
    const { bytes } = this;
    const first = bytes[at] as number;
    this.#next = at + 1;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 0x80; scale <= 0x1000_0000; scale *= 0x80) {
      const byte = bytes[this.#next] as number;
      this.#next += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) this.#next = NOWHERE;
        return value;
      }
    }
    this.#next = NOWHERE;
    return value;
  }
}
