// 1e11 seconds are the year 5138, 1e11 milliseconds are March 1973: below it a number counts seconds.
const FIRST_MILLISECONDS = 1e11;
const LAST_MILLISECONDS = 1e14;

const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

const ofNumber = (value: number): number | null => {
  if (!Number.isFinite(value) || value <= 0 || value >= LAST_MILLISECONDS) return null;
  return Math.round(value < FIRST_MILLISECONDS ? value * 1_000 : value);
};

const zoneOf = (zone: string | undefined): string => {
  if (zone === undefined) return '';
  if (/^z$/i.test(zone)) return 'Z';
  return `${zone.slice(0, 3)}:${zone.length > 3 ? zone.slice(-2) : '00'}`;
};

const ofIso = (text: string): number | null => {
  const match = ISO.exec(text);
  if (!match) return null;
  const [, date, time, fraction, zone] = match;
  const ms = Date.parse(
    `${date}T${time!.length === 5 ? `${time}:00` : time}.${(fraction ?? '').padEnd(3, '0').slice(0, 3)}${zoneOf(zone)}`,
  );
  return Number.isNaN(ms) ? null : ms;
};

/**
 * Milliseconds since the epoch from seconds, milliseconds (numbers or digits) or ISO 8601, else null. A time
 * without a zone is this machine's local time, as ISO 8601 has it: writer and reader are on one host.
 */
export const timestampMs = (value: unknown): number | null => {
  if (typeof value === 'number') return ofNumber(value);
  if (typeof value !== 'string') return null;
  const text = value.trim();
  return /^\d+(\.\d+)?$/.test(text) ? ofNumber(Number(text)) : ofIso(text);
};
