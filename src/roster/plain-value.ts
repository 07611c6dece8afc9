/** Values of YAML that stand on one line and can be told for certain by a look; null for all others. */

/** What a reader of text would drop, or a look would miss. */
export const ODD_TEXT = /(?!\n)\p{C}|(?! )\p{Z}/u;

/** From the start of the value, in characters. */
interface KeyPlace {
  key: number;
  value: number;
}

export interface PlainValue {
  value: unknown;
  /** Of a map in braces. */
  keys: ReadonlyMap<string, KeyPlace>;
}

const NO_KEYS: PlainValue['keys'] = new Map();
/** Quotes in which nothing is escaped. */
const QUOTED = /^(?:"([^"\\]*)"|'([^']*)')(?: +(?:#.*)?)?$/;
const EMPTY = /^(\{ *\}|\[ *\])(?: +(?:#.*)?)?$/;
const BRACED = /^\{([^{}#]*)\}(?: +(?:#.*)?)?$/;
const PAIR = /^( *)([A-Za-z_]\w*)(: +)([\w./~+][\w./~:@+-]*) *$/;
/** Begins with no mark of YAML's own. */
const BARE = /^[\w./~$+(=^\\;<]/;
const WHOLE_NUMBER = /^(0|[1-9]\d{0,14})$/;
/** Perhaps a number, in one of YAML's ways to write one. */
const LIKE_NUMBER = /^[-+.\d]/;
const SURELY_TEXT = /[GHJ-MO-WYZghj-mp-wyz/:@]/;
const WORDS = new Set(['null', 'true', 'false', '~', '']);

/** A word that YAML takes for something else than text, as a key too. */
export const isYamlWord = (bare: string): boolean => WORDS.has(bare.toLowerCase());

export const plainValue = (written: string): PlainValue | null => {
  const quoted = QUOTED.exec(written);
  if (quoted !== null) return { value: quoted[1] ?? quoted[2], keys: NO_KEYS };
  const empty = EMPTY.exec(written)?.[1];
  if (empty !== undefined) return { value: empty.startsWith('{') ? Object.create(null) : [], keys: NO_KEYS };
  if (written.startsWith('{')) return braced(written);
  const comment = written.indexOf(' #');
  const bare = (comment === -1 ? written : written.slice(0, comment)).trimEnd();
  if (!BARE.test(bare) || bare.includes(': ') || bare.endsWith(':')) return null;
  const value = bareValue(bare);
  return value === undefined ? null : { value, keys: NO_KEYS };
};

/** undefined: a look does not tell. */
const bareValue = (bare: string): unknown => {
  if (bare === 'true' || bare === 'false') return bare === 'true';
  if (WHOLE_NUMBER.test(bare)) return Number(bare);
  if (isYamlWord(bare)) return undefined;
  return LIKE_NUMBER.test(bare) && !SURELY_TEXT.test(bare) ? undefined : bare;
};

const braced = (written: string): PlainValue | null => {
  const pairs = BRACED.exec(written)?.[1]?.split(',');
  if (pairs === undefined) return null;
  const values: Record<string, unknown> = Object.create(null);
  const keys = new Map<string, KeyPlace>();
  let at = 1;
  for (const pair of pairs) {
    const [, blanks = '', key = '', colon = '', bare = ''] = PAIR.exec(pair) ?? [];
    const value = bareValue(bare);
    if (value === undefined || bare.endsWith(':') || keys.has(key) || isYamlWord(key)) return null;
    const start = at + blanks.length;
    keys.set(key, { key: start, value: start + key.length + colon.length });
    values[key] = value;
    at += pair.length + 1;
  }
  return { value: values, keys };
};
