/** Beyond this a Date is invalid (ECMA-262, time values). */
const MAX_DATE_MS = 8.64e15;

/** A stamp of a host for programs; null where it is unset, or none. */
export const isoTime = (ms: number): string | null => (ms > 0 && ms <= MAX_DATE_MS ? new Date(ms).toISOString() : null);
