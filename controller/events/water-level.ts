/** How far whoever has most goes down, all of them to one level, so that `less` is gone in sum; 0 where less is there. */
export const waterLevel = (amounts: Iterable<number>, less: number): number => {
  const sorted = [...amounts].sort((a, b) => b - a);
  let sum = 0;
  for (const [index, amount] of sorted.entries()) {
    sum += amount;
    const level = (sum - less) / (index + 1);
    if (level >= (sorted[index + 1] ?? 0)) return level;
  }
  return 0;
};
