/** A finding in its outcomes: what was seen, why it matters, what to type; where a program can mend it, how. */
import type { Fix } from '../../src/domain/fix.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';

export const ok = (check: string, what: string): Finding => ({ check, outcome: 'ok', what });

/** What could not be looked at is never called well. */
export const unknown = (check: string, what: string): Finding => ({ check, outcome: 'unknown', what });

export const warning = (check: string, what: string, why: string, mend: string, fix?: Fix): Finding =>
  told('warning', check, what, why, mend, fix);

export const failed = (check: string, what: string, why: string, mend: string, fix?: Fix): Finding =>
  told('failed', check, what, why, mend, fix);

const told = (outcome: string, check: string, what: string, why: string, mend: string, fix?: Fix): Finding => ({
  check,
  outcome,
  what,
  why,
  mend,
  ...(fix ? { fix: { kind: fix.kind, targets: [...fix.targets] } } : {}),
});

const SHOWN = 5;

/** The first few of many. */
export const few = (names: readonly string[]): string =>
  `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
