/** Full-jitter exponential delays: attempt 0 is at most `firstMs`, no attempt more than `capMs`. */
export const backoffDelayMs = (
  attempt: number,
  options: { firstMs: number; capMs: number; random?: () => number } = { firstMs: 500, capMs: 5_000 },
): number => {
  const ceiling = Math.min(options.capMs, options.firstMs * 2 ** Math.min(attempt, 30));
  return (options.random ?? Math.random)() * ceiling;
};
