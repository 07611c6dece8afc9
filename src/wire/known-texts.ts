/** Texts out of bytes, where the same few come again and again: what was read shortly before is not made anew. Bounded. */

/** A power of two. Each place holds the last text that fell there. */
const PLACES = 1024;
/** Longer ones are hardly said twice. */
const MAX_BYTES = 64;

export class KnownTexts {
  readonly #texts: string[] = new Array(PLACES).fill('');
  /** As the codec decodes: a byte order mark is text, and what is no UTF-8 becomes U+FFFD. */
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  read(bytes: Buffer, from: number, to: number): string {
    const hash = to - from > MAX_BYTES ? null : asciiHash(bytes, from, to);
    if (hash === null) return this.#decoder.decode(bytes.subarray(from, to));
    const place = hash & (PLACES - 1);
    const known = this.#texts[place] as string;
    if (isText(known, bytes, from, to)) return known;
    const text = bytes.toString('latin1', from, to);
    this.#texts[place] = text;
    return text;
  }
}

/** null: there is more in it than ASCII, where a byte is a character. */
const asciiHash = (bytes: Buffer, from: number, to: number): number | null => {
  let hash = to - from;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) return null;
    hash = Math.imul(hash, 31) + byte;
  }
  return hash;
};

const isText = (text: string, bytes: Buffer, from: number, to: number): boolean => {
  if (text.length !== to - from) return false;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) !== bytes[from + at]) return false;
  return true;
};
