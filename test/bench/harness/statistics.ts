/** Samples in, the few numbers that are told of them out. */

/** Nearest rank; `share` is 0 to 1. Throws where there is no sample. */
const quantile = (samples: readonly number[], share: number): number => {
  if (samples.length === 0) throw new Error('no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
};

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

export interface Summary {
  median: number;
  p90: number;
  p99: number;
  max: number;
  n: number;
}

export const summary = (samples: readonly number[]): Summary => ({
  median: median(samples),
  p90: quantile(samples, 0.9),
  p99: quantile(samples, 0.99),
  max: quantile(samples, 1),
  n: samples.length,
});
