/**
 * In: bytes of the operator's terminal, cut anywhere. Out: strokes. Never: a byte passed on unread; mouse, focus, answers
 * of the terminal and sequences that name no key are dropped.
 *
 *   plain ──ESC──▶ escape ──`[`, `O`──▶ sequence ──final byte──▶ plain
 *     ▲              └──nothing more for ESCAPE_MS (`flush`)──▶ plain
 *     └──ESC[201~── paste ◀──ESC[200~
 */
import { isKeyName, type KeyStroke, MAX_PASTE_BYTES, MAX_TEXT_BYTES } from '../../domain/key-stroke.ts';
import { type Csi, csiKey, isMouse, ss3Key, withModifiers } from './terminal-keys.ts';

const ESC = 0x1b;
const PASTE_END = Buffer.from('\x1b[201~');
/** A sequence that goes on longer names no key. */
const MAX_SEQUENCE_BYTES = 64;
/** Of a coordinate each: button, column, row. */
const X10_MOUSE_BYTES = 3;
/** Answers of a terminal, each begun by ESC and one of these: OSC, DCS, APC, PM, SOS. Alone they are Alt and a letter. */
const STRINGS = ']P_^X';

type Step = { used: number; stroke?: KeyStroke; paste?: true } | 'more';

export class InputDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #isPasting = false;

  /** Whether what came last may be a lone Escape or the begin of a longer key: `flush` decides, after a while. */
  get isWaiting(): boolean {
    return !this.#isPasting && this.#rest[0] === ESC;
  }

  push(chunk: Uint8Array): KeyStroke[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    return this.#read(false);
  }

  /** Nothing more came: what was begun is taken for what it is. */
  flush(): KeyStroke[] {
    return this.#read(true);
  }

  #read(isLast: boolean): KeyStroke[] {
    const strokes: KeyStroke[] = [];
    while (this.#rest.length > 0) {
      if (this.#isPasting) {
        if (!this.#readPaste(strokes)) break;
        continue;
      }
      const step = readKey(this.#rest, isLast);
      if (step === 'more') break;
      this.#rest = this.#rest.subarray(step.used);
      if (step.paste) this.#isPasting = true;
      if (step.stroke) append(strokes, step.stroke);
    }
    // The chunk it is cut from is not kept for a few bytes.
    this.#rest = Buffer.from(this.#rest);
    return strokes;
  }

  /** false: more must come. */
  #readPaste(strokes: KeyStroke[]): boolean {
    const end = this.#rest.indexOf(PASTE_END);
    const room = MAX_PASTE_BYTES;
    if (end < 0 && this.#rest.length < room + PASTE_END.length) return false;
    const length = end >= 0 && end <= room ? end : characterBoundary(this.#rest, room);
    const text = this.#rest.subarray(0, length).toString();
    // Bytes that are no UTF-8 grow when they are replaced: such a paste goes in two.
    for (const part of cutTo(text, MAX_PASTE_BYTES)) strokes.push({ paste: part });
    const isEnd = length === end;
    this.#rest = this.#rest.subarray(isEnd ? length + PASTE_END.length : length);
    this.#isPasting = !isEnd;
    return true;
  }
}

/** One key from the begin of the bytes. */
const readKey = (bytes: Buffer, isLast: boolean): Step => {
  const first = bytes[0] as number;
  if (first === ESC) return readEscape(bytes, isLast);
  if (first < 0x20 || first === 0x7f) return { used: 1, stroke: { key: controlKey(first) } };
  return readCharacter(bytes, isLast);
};

const readEscape = (bytes: Buffer, isLast: boolean): Step => {
  const alone: Step = { used: 1, stroke: { key: 'Escape' } };
  if (bytes.length === 1) return isLast ? alone : 'more';
  const next = String.fromCharCode(bytes[1] as number);
  if (next === '[') return orAlt(readCsi(bytes), bytes, isLast);
  if (next === 'O') return orAlt(readSs3(bytes), bytes, isLast);
  // Some terminals say Alt by one more ESC in front.
  if (next === '\x1b') {
    if (bytes.length === 2) return isLast ? alone : 'more';
    const after = bytes[2] as number;
    if (after !== 0x5b && after !== 0x4f) return alone;
    const inner = readEscape(bytes.subarray(1), isLast);
    if (inner === 'more') return inner;
    const key = inner.stroke && 'key' in inner.stroke ? withModifiers(inner.stroke.key, { alt: true }) : null;
    return key === null ? { used: inner.used + 1 } : { used: inner.used + 1, stroke: { key } };
  }
  const answer = STRINGS.includes(next) ? endOfString(bytes) : -1;
  if (answer > 0) return { used: answer };
  return readAlt(bytes, isLast);
};

/** A sequence that never comes to its end was Alt and a letter. */
const orAlt = (step: Step, bytes: Buffer, isLast: boolean): Step =>
  step === 'more' && isLast ? readAlt(bytes, isLast) : step;

const readAlt = (bytes: Buffer, isLast: boolean): Step => {
  const plain = readKey(bytes.subarray(1), isLast);
  if (plain === 'more' || !plain.stroke) return plain === 'more' ? plain : { used: plain.used + 1 };
  const name = 'key' in plain.stroke ? plain.stroke.key : 'text' in plain.stroke ? plain.stroke.text : '';
  const key = withModifiers(name === ' ' ? 'Space' : name, { alt: true });
  return key === null ? { used: plain.used + 1 } : { used: plain.used + 1, stroke: { key } };
};

/** ESC [ parameters, intermediates, final (ECMA-48, 5.4). */
const readCsi = (bytes: Buffer): Step => {
  // The Linux console says F1 to F5 by ESC [ [ A to E.
  if (bytes[2] === 0x5b) {
    const number = (bytes[3] ?? 0) - 0x40;
    if (bytes.length < 4) return 'more';
    return number >= 1 && number <= 5 ? { used: 4, stroke: { key: `F${number}` } } : { used: 4 };
  }
  let at = 2;
  while (at < bytes.length && (bytes[at] as number) >= 0x20 && (bytes[at] as number) <= 0x3f) at += 1;
  if (at - 2 > MAX_SEQUENCE_BYTES) return { used: at };
  if (at >= bytes.length) return 'more';
  const final = bytes[at] as number;
  // Broken off by a control character: what was begun is nothing.
  if (final < 0x40 || final > 0x7e) return { used: at };
  const csi: Csi = { parameters: bytes.subarray(2, at).toString('latin1'), final: String.fromCharCode(final) };
  if (csi.final === '~' && csi.parameters === '200') return { used: at + 1, paste: true };
  if (isMouse(csi)) {
    const used = at + 1 + (csi.parameters === '' ? X10_MOUSE_BYTES : 0);
    return used > bytes.length ? 'more' : { used };
  }
  const stroke = csiKey(csi);
  return stroke === null ? { used: at + 1 } : { used: at + 1, stroke };
};

const readSs3 = (bytes: Buffer): Step => {
  if (bytes.length < 3) return 'more';
  const stroke = ss3Key(String.fromCharCode(bytes[2] as number));
  return stroke === null ? { used: 3 } : { used: 3, stroke };
};

/** Bytes of a whole answer with its terminator, BEL or ST; -1 where none ends here. */
const endOfString = (bytes: Buffer): number => {
  const end = bytes.findIndex((byte, at) => at >= 2 && (byte === 0x07 || byte === ESC));
  if (end < 0) return -1;
  if (bytes[end] === 0x07) return end + 1;
  return bytes[end + 1] === 0x5c ? end + 2 : -1;
};

const readCharacter = (bytes: Buffer, isLast: boolean): Step => {
  const first = bytes[0] as number;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0) return { used: 1 };
  const broken = bytes.subarray(1, length).findIndex((byte) => (byte & 0xc0) !== 0x80);
  if (broken >= 0) return { used: broken + 1 };
  if (bytes.length < length) return isLast ? { used: bytes.length } : 'more';
  const text = bytes.subarray(0, length).toString();
  return /[\p{Cc}\ufffd]/u.test(text) ? { used: length } : { used: length, stroke: { text } };
};

const CONTROL_NAMES: Record<number, string> = {
  0: 'C-Space',
  9: 'Tab',
  13: 'Enter',
  27: 'Escape',
  28: 'C-\\',
  29: 'C-]',
  30: 'C-^',
  31: 'C-_',
  127: 'BSpace',
};

const controlKey = (byte: number): string => CONTROL_NAMES[byte] ?? `C-${String.fromCharCode(byte + 0x60)}`;

/** Characters that follow each other are one stroke, up to its bound. */
const append = (strokes: KeyStroke[], stroke: KeyStroke): void => {
  const last = strokes.at(-1);
  if ('text' in stroke && last && 'text' in last && Buffer.byteLength(last.text) + 4 <= MAX_TEXT_BYTES) {
    last.text += stroke.text;
  } else if (!('key' in stroke) || isKeyName(stroke.key)) strokes.push({ ...stroke });
};

/** At most `length`, and not inside a character. */
const characterBoundary = (bytes: Buffer, length: number): number => {
  let at = length;
  while (at > length - 4 && at > 0 && ((bytes[at] as number) & 0xc0) === 0x80) at -= 1;
  return at;
};

function* cutTo(text: string, maxBytes: number): Generator<string> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.length - from <= maxBytes ? bytes.length : characterBoundary(bytes, from + maxBytes);
    yield bytes.subarray(from, to).toString();
    from = to;
  }
}
