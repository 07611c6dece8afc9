/** Colours as meanings. A painter wraps text that is already clean and already as wide as it shall be. */
export type Style = 'attention' | 'bad' | 'good' | 'dim' | 'strong';
export type Painter = (style: Style | null, text: string) => string;

/** Select Graphic Rendition parameters (ECMA-48, 8.3.117). */
const SGR: Record<Style, string> = { attention: '1;33', bad: '31', good: '32', dim: '2', strong: '1' };

export const plain: Painter = (_, text) => text;

export const coloured: Painter = (style, text) =>
  style === null || text === '' ? text : `\x1b[${SGR[style]}m${text}\x1b[0m`;

/** Colours only for a terminal that has them, and never against NO_COLOR (no-color.org: any non-empty value). */
export const painterFor = (stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Painter =>
  stream.isTTY && !env.NO_COLOR && env.TERM !== 'dumb' ? coloured : plain;
