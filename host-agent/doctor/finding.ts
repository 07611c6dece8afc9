/** A finding in its three outcomes: what was seen, why it matters, what to type. */
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';

export const ok = (check: string, what: string): Finding => ({ check, outcome: 'ok', what });

export const warning = (check: string, what: string, why: string, mend: string): Finding => ({
  check,
  outcome: 'warning',
  what,
  why,
  mend,
});

export const failed = (check: string, what: string, why: string, mend: string): Finding => ({
  check,
  outcome: 'failed',
  what,
  why,
  mend,
});
