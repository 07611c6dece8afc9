/** Spans of time in few cells. Input is whole seconds; what is shown is never more than has passed. */
const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** One unit: `4s`, `46m`, `2h`, `12d`. */
export const coarse = (seconds: number): string => {
  const [name, size] = UNITS.find(([, size]) => seconds >= size) ?? ['s', 1];
  return `${Math.floor(seconds / size)}${name}`;
};

/** Two units where the second says something: `40s`, `3m12s`, `2h05m`, `3d04h`. */
export const fine = (seconds: number): string => {
  const index = UNITS.findIndex(([, size]) => seconds >= size);
  const unit = UNITS[index];
  const next = UNITS[index + 1];
  if (!unit || !next) return coarse(seconds);
  const rest = Math.floor((seconds % unit[1]) / next[1]);
  return rest === 0 ? coarse(seconds) : `${coarse(seconds)}${String(rest).padStart(2, '0')}${next[0]}`;
};

/** `0s`, `+41s`, `-1h`. */
export const signed = (seconds: number): string => {
  const sign = seconds > 0 ? '+' : seconds < 0 ? '-' : '';
  return `${sign}${fine(Math.abs(seconds))}`;
};
