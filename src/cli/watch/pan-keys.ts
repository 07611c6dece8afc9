/** What keys do to the window on one screen; `page` is its rows but one. */
import type { Pan } from './pan.ts';

const COLUMNS_A_STEP = 4;
const END = Number.MAX_SAFE_INTEGER;

const left = (pan: Pan): void => pan.move(-COLUMNS_A_STEP, 0);
const right = (pan: Pan): void => pan.move(COLUMNS_A_STEP, 0);
const up = (pan: Pan): void => pan.move(0, -1);
const down = (pan: Pan): void => pan.move(0, 1);
const pageDown = (pan: Pan, page: number): void => pan.move(0, page);

export const PAN_KEYS: Readonly<Record<string, (pan: Pan, page: number) => void>> = {
  f: (pan) => pan.follow(),
  left,
  h: left,
  right,
  l: right,
  up,
  k: up,
  down,
  j: down,
  'page up': (pan, page) => pan.move(0, -page),
  'page down': pageDown,
  ' ': pageDown,
  g: (pan) => pan.move(0, -END),
  G: (pan) => pan.move(0, END),
};
