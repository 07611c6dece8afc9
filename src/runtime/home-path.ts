import { isAbsolute, join, normalize } from 'node:path';

/** A path as a person wrote it: a leading `~`, `$HOME` or `${HOME}` is the home folder; what is then still relative is below it. */
export const homePath = (path: string, home: string): string => {
  const expanded = path.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/|$)/, home);
  return normalize(isAbsolute(expanded) ? expanded : join(home, expanded)).replace(/(.)\/$/, '$1');
};
