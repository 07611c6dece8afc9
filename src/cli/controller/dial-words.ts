/** At which addresses hosts dial a controller, in a few words: what it advertises, else what it opened. */
export const dialWords = (listening: readonly string[], advertised: readonly string[]): string => {
  if (advertised.length > 0) return advertised.join(', ');
  const beyond = listening.filter((address) => !/^(127\.|\[::1\])/.test(address));
  if (beyond.length === 0) return 'loopback';
  const isAll = beyond.some((address) => /^(0\.0\.0\.0|\[::\]):/.test(address));
  return isAll ? 'any address of this machine' : beyond.join(', ');
};
