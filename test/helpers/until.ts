/** Polls `fn` every 20 ms until it returns truthy and returns that; throws with the last value or error when late. */
export const until = async <T>(
  fn: () => T | Promise<T>,
  options: { timeoutMs: number },
): Promise<Exclude<T, false | null | undefined | 0 | ''>> => {
  const deadline = performance.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await fn();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const cause = last instanceof Error ? last : new Error(`last value: ${JSON.stringify(last)}`);
      throw new Error(`not within ${options.timeoutMs} ms: ${cause.message}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
