/** The oldest tmux whose lists and screens are read reliably. */
export const LEAST_TMUX = [3, 2] as const;

/** Of the first `MAJOR.MINOR` in what a program prints of itself, as `tmux 3.3a`; null where it names none. */
export const versionAtLeast = (
  printed: string,
  [leastMajor, leastMinor]: readonly [number, number],
): boolean | null => {
  const match = /(\d+)\.(\d+)/.exec(printed);
  if (!match) return null;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
};
