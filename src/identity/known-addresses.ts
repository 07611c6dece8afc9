/** Where a controller is found: what has worked, then what it says now, then what it said before. */

/** A round of dialling must end some time. */
const MAX_ADDRESSES = 16;

const isLoopback = (address: string): boolean => /^(127\.|localhost:|\[::1\])/.test(address);

/**
 * Each once, best first. The controller names its own loopback too, and that is another machine's here: it stays only
 * where loopback is what has worked.
 */
export const knownAddresses = (
  worked: string | undefined,
  said: readonly string[],
  before: readonly string[],
): string[] => {
  const isThisMachine = worked !== undefined && isLoopback(worked);
  const all = [...new Set([...(worked === undefined ? [] : [worked]), ...said, ...before])];
  return all.filter((address) => isThisMachine || !isLoopback(address)).slice(0, MAX_ADDRESSES);
};
