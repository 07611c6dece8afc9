/**
 * A join token as it is handed to a host-agent, in a file or on standard input: the token on the first line, then
 * addresses to try before the token's own, one a line.
 */
export interface HandedToken {
  token: string;
  /** host:port, or `unix:/path` where a tunnel ends; a token itself holds host:port only. */
  addresses: readonly string[];
}

export const handedTokenText = ({ token, addresses }: HandedToken): string =>
  `${[token.trim(), ...addresses].join('\n')}\n`;

export const parseHandedToken = (text: string): HandedToken => {
  const [token = '', ...addresses] = text.split('\n').map((line) => line.trim());
  return { token, addresses: addresses.filter((address) => address !== '') };
};
