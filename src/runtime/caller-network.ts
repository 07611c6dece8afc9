/** Where a caller without an identity comes from, as it is counted: whoever has one address of IPv6 has 2^64 of them. */

const BITS = 16;
const GROUPS = 8;
const NETWORK_GROUPS = 4;
const DOTTED = /^\d+\.\d+\.\d+\.\d+$/;

/** An address of IPv4 as it is, also one mapped into IPv6; of IPv6 its /64, as `2001:db8:0:1::/64`. What is no address stays as it is. */
export const callerNetwork = (address: string): string => {
  const [plain = ''] = address.replace(/^\[|\]$/g, '').split('%');
  const groups = plain.includes(':') ? groupsOf(plain) : null;
  if (groups === null) return plain;
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  return `${groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
};

/** Behind it are the callers of this machine, and all hosts that come through a tunnel. */
export const isLoopbackAddress = (address: string): boolean => /^(::ffff:)?127\.|^\[?::1\]?$/.test(address);

/** null for what is none. */
const groupsOf = (address: string): number[] | null => {
  const halves = address.split('::').map((half) => (half === '' ? [] : half.split(':').flatMap(groupOf)));
  const [head = [], tail] = halves;
  const missing = GROUPS - head.length - (tail?.length ?? 0);
  const isWhole = tail === undefined ? missing === 0 : halves.length === 2 && missing >= 1;
  const groups = [...head, ...Array<number>(Math.max(0, missing)).fill(0), ...(tail ?? [])];
  return isWhole && groups.every((group) => group >= 0 && group < 1 << BITS) ? groups : null;
};

const groupOf = (text: string): number[] => {
  if (!DOTTED.test(text)) return [/^[0-9a-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : -1];
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
};
