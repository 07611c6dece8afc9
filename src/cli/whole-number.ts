import { UsageError } from './usage-error.ts';

/** From 1. Throws UsageError. */
export const wholeNumber = (flag: string, text: string): number => {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(`--${flag} "${text}": a number from 1 to 9999`);
};
