import { UsageError } from '../usage-error.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  '': 1_000,
};

/** `500ms`, `90s`, `15m`, `1h`, `7d`; a bare number is seconds. Throws UsageError outside of the bounds, which are milliseconds. */
export const spanMs = (flag: string, text: string, bounds: { leastMs: number; mostMs: number }): number => {
  const match = /^(\d{1,9})(ms|s|m|h|d|)$/.exec(text);
  const ms = match ? Number(match[1]) * (UNITS_MS[match[2] as string] as number) : Number.NaN;
  if (ms >= bounds.leastMs && ms <= bounds.mostMs) return ms;
  throw new UsageError(`--${flag} "${text}": ${spanText(bounds.leastMs)} to ${spanText(bounds.mostMs)}, as 90s or 15m`);
};

/** In the largest unit that says it exactly. */
export const spanText = (ms: number): string => {
  for (const unit of ['h', 'm', 's'] as const) {
    const size = UNITS_MS[unit] as number;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
};

/** `--timeout` of an order. */
export const LONGEST_ORDER = { leastMs: 1_000, mostMs: 10 * 60_000 };
/** `--wait-idle`. */
export const LONGEST_WAIT = { leastMs: 1_000, mostMs: 12 * 3_600_000 };
/** `--expires` of a grant. */
export const LONGEST_GRANT = { leastMs: 60_000, mostMs: 365 * 24 * 3_600_000 };
/** `--expires` of what waits for a host. */
export const LONGEST_INTENT = { leastMs: 10_000, mostMs: 7 * 24 * 3_600_000 };
