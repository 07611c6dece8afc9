/** Keys by the sequences with which terminals say them: xterm, VT220, Linux console, CSI u. Pure tables. */
import { isKeyName, type KeyStroke } from '../../domain/key-stroke.ts';

/** `ESC [ parameters final`. */
export interface Csi {
  parameters: string;
  final: string;
}

const BY_FINAL: Record<string, string> = {
  A: 'Up',
  B: 'Down',
  C: 'Right',
  D: 'Left',
  H: 'Home',
  F: 'End',
  P: 'F1',
  Q: 'F2',
  R: 'F3',
  S: 'F4',
};

const BY_NUMBER: Record<number, string> = {
  1: 'Home',
  2: 'Insert',
  3: 'Delete',
  4: 'End',
  5: 'PageUp',
  6: 'PageDown',
  7: 'Home',
  8: 'End',
  11: 'F1',
  12: 'F2',
  13: 'F3',
  14: 'F4',
  15: 'F5',
  17: 'F6',
  18: 'F7',
  19: 'F8',
  20: 'F9',
  21: 'F10',
  23: 'F11',
  24: 'F12',
};

/** Code points that have a name of their own. */
const BY_CODE: Record<number, string> = { 9: 'Tab', 13: 'Enter', 27: 'Escape', 32: 'Space', 127: 'BSpace' };

/** What a keypad in its application mode says, by ESC O. */
const KEYPAD = '*+,-./0123456789';
const KEYPAD_FIRST = 'j'.charCodeAt(0);

export interface Modifiers {
  ctrl?: boolean;
  alt?: boolean;
  shift?: boolean;
}

/** 1 + a bit each: shift, alt, ctrl (xterm, "PC-Style Function Keys"). */
const modifiersOf = (parameter: number): Modifiers => {
  const bits = Math.max(0, parameter - 1);
  return { shift: (bits & 1) !== 0, alt: (bits & 2) !== 0, ctrl: (bits & 4) !== 0 };
};

/** The key with them added; without those that tmux cannot say for it; null where nothing is left that it knows. */
export const withModifiers = (key: string, { ctrl = false, alt = false, shift = false }: Modifiers): string | null => {
  const [, had = '', base = ''] = /^((?:C-)?(?:M-)?(?:S-)?)(.+)$/su.exec(key) ?? [];
  if (base === 'Tab' && shift) return 'BTab';
  const isCtrl = ctrl || had.includes('C-');
  const isAlt = alt || had.includes('M-');
  const isShift = shift || had.includes('S-');
  const name = (withCtrl: boolean, withShift: boolean): string =>
    `${withCtrl ? 'C-' : ''}${isAlt ? 'M-' : ''}${withShift ? 'S-' : ''}${base}`;
  return [name(isCtrl, isShift), name(isCtrl, false), name(false, false)].find(isKeyName) ?? null;
};

/** Mouse reports, of the old kind and SGR's. */
export const isMouse = ({ parameters, final }: Csi): boolean =>
  (final === 'M' && (parameters === '' || parameters.startsWith('<'))) || (final === 'm' && parameters.startsWith('<'));

/** null: no key, or none that can be typed. */
export const csiKey = ({ parameters, final }: Csi): KeyStroke | null => {
  if (!/^[\d;:]*$/.test(parameters)) return null;
  const numbers = parameters.split(';').map((part) => Number.parseInt(part, 10));
  const [first = Number.NaN, second = 1, third = Number.NaN] = numbers;
  if (final === 'Z') return { key: 'BTab' };
  if (final === 'u') return ofCode(first, modifiersOf(second));
  if (final === '~') return first === 27 ? ofCode(third, modifiersOf(second)) : named(BY_NUMBER[first], second);
  // A cursor report, which nobody asked for, looks like F3.
  return Number.isNaN(first) || first === 1 ? named(BY_FINAL[final], second) : null;
};

export const ss3Key = (final: string): KeyStroke | null => {
  if (final === 'M') return { key: 'Enter' };
  const keypad = KEYPAD[final.charCodeAt(0) - KEYPAD_FIRST];
  return keypad === undefined ? named(BY_FINAL[final], 1) : { text: keypad };
};

const named = (base: string | undefined, modifiers: number): KeyStroke | null => {
  const key = base === undefined ? null : withModifiers(base, modifiersOf(modifiers || 1));
  return key === null ? null : { key };
};

/** modifyOtherKeys and CSI u say a key by its code point. */
const ofCode = (code: number, modifiers: Modifiers): KeyStroke | null => {
  if (!(code >= 0 && code <= 0x10ffff)) return null;
  const character = String.fromCodePoint(code);
  const base = BY_CODE[code] ?? character;
  if (!modifiers.ctrl && !modifiers.alt && BY_CODE[code] === undefined) {
    const text = modifiers.shift ? character.toUpperCase() : character;
    return /[\p{C}\p{M}]/u.test(text) ? null : { text };
  }
  const key = withModifiers(
    modifiers.ctrl ? base.replace(/^[A-Z]$/, (letter) => letter.toLowerCase()) : base,
    modifiers,
  );
  return key === null ? (BY_CODE[code] ? { key: base } : null) : { key };
};
