/** How cells look, as Select Graphic Rendition of our own (ECMA-48, 8.3.117; colons by ISO 8613-6): numbers in, numbers out. */
import type { Span } from '../../wire/gen/fleet/v1/terminal.ts';

export interface Look {
  foreground: number;
  background: number;
  attributes: number;
  underlineColor: number;
}

export interface LookOptions {
  colour: boolean;
  /** Not current: dim and without colours. */
  faded: boolean;
}

const ATTRIBUTE = {
  bold: 1,
  dim: 2,
  italic: 4,
  underline: 8,
  blink: 16,
  reverse: 32,
  hidden: 64,
  struck: 128,
  double: 256,
  curly: 512,
  dotted: 1_024,
  dashed: 2_048,
  overline: 4_096,
} as const;

const SIMPLE: readonly (readonly [bit: number, parameter: number])[] = [
  [ATTRIBUTE.bold, 1],
  [ATTRIBUTE.dim, 2],
  [ATTRIBUTE.italic, 3],
  [ATTRIBUTE.underline, 4],
  [ATTRIBUTE.blink, 5],
  [ATTRIBUTE.reverse, 7],
  [ATTRIBUTE.hidden, 8],
  [ATTRIBUTE.struck, 9],
  [ATTRIBUTE.overline, 53],
];
const UNDERLINES: readonly (readonly [bit: number, style: number])[] = [
  [ATTRIBUTE.double, 2],
  [ATTRIBUTE.curly, 3],
  [ATTRIBUTE.dotted, 4],
  [ATTRIBUTE.dashed, 5],
];
const TRUE_COLOURS = 0x1000000;

export const PLAIN_LOOK: Look = { foreground: 0, background: 0, attributes: 0, underlineColor: 0 };

export const withAttribute = (look: Look, name: keyof typeof ATTRIBUTE): Look => ({
  ...look,
  attributes: look.attributes | ATTRIBUTE[name],
});

/** From whatever was before; begins with a reset. */
export const lookSequence = (look: Look, { colour, faded }: LookOptions): string => {
  const attributes = faded ? (look.attributes & ~ATTRIBUTE.bold) | ATTRIBUTE.dim : look.attributes;
  const hasColour = colour && !faded;
  const parameters = [
    '0',
    ...SIMPLE.flatMap(([bit, parameter]) => (attributes & bit ? [`${parameter}`] : [])),
    ...(hasColour ? colourParameters(look) : []),
  ];
  // Apart from the rest: a terminal that does not know colons ignores the whole sequence.
  const style = UNDERLINES.find(([bit]) => attributes & bit)?.[1];
  const underline = style === undefined ? '' : `\x1b[4m\x1b[4:${style}m`;
  return `\x1b[${parameters.join(';')}m${underline}${hasColour ? underlineColour(look.underlineColor) : ''}`;
};

const colourParameters = ({ foreground, background }: Look): string[] => [
  ...colourParameter(foreground, 30),
  ...colourParameter(background, 40),
];

/** `base` is 30 for the foreground and 40 for the background. */
const colourParameter = (colour: number, base: number): string[] => {
  if (colour === 0) return [];
  if (colour <= 8) return [`${base + colour - 1}`];
  if (colour <= 16) return [`${base + 60 + colour - 9}`];
  if (colour <= 256) return [`${base + 8};5;${colour - 1}`];
  const [red, green, blue] = rgb(colour);
  return [`${base + 8};2;${red};${green};${blue}`];
};

const underlineColour = (colour: number): string => {
  if (colour === 0) return '';
  if (colour <= 256) return `\x1b[58:5:${colour - 1}m`;
  return `\x1b[58:2::${rgb(colour).join(':')}m`;
};

const rgb = (colour: number): [number, number, number] => {
  const value = colour - TRUE_COLOURS;
  return [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff];
};

export const isSameLook = (a: Look, b: Look): boolean =>
  a.foreground === b.foreground &&
  a.background === b.background &&
  a.attributes === b.attributes &&
  a.underlineColor === b.underlineColor;

/** For programs: null is the default, a number the palette's, `#rrggbb` a colour of its own. */
export const colourName = (colour: number): number | string | null => {
  if (colour === 0) return null;
  return colour <= 256 ? colour - 1 : `#${(colour - TRUE_COLOURS).toString(16).padStart(6, '0')}`;
};

export const attributeNames = ({ attributes }: Pick<Span, 'attributes'>): string[] =>
  Object.entries(ATTRIBUTE).flatMap(([name, bit]) => (attributes & bit ? [name] : []));
