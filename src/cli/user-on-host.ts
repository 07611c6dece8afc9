import { UsageError } from './usage-error.ts';

/** `HOST/USER`, or as for ssh `USER@HOST`. Throws UsageError. */
export const parseUserOnHost = (named: string): { host: string; user: string } => {
  const match = /^([^/@]+)\/([^/@]+)$/.exec(named) ?? /^(?<user>[^/@]+)@(?<host>[^/@]+)$/.exec(named);
  const { host = match?.[1], user = match?.[2] } = match?.groups ?? {};
  if (host !== undefined && user !== undefined) return { host, user };
  throw new UsageError(`"${named}": HOST/USER, or USER@HOST`);
};
