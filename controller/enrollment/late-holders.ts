/** Whom the next step of a rotation would leave behind, by name, and what to do about each: hosts, cells, and cells that do not say. */
import type { AuthorityHolder } from '../../src/wire/gen/fleet/v1/rotation.ts';

/** `trusts`: they do not know the new authority; `renewed`: they have no certificate of it. `newest`: its fingerprint. */
export const lateWords = (late: readonly AuthorityHolder[], what: 'trusts' | 'renewed', newest: string): string => {
  const cells = late.filter(isCell);
  const hosts = late.filter((holder) => !isCell(holder));
  const telling = cells.filter(({ silent }) => !silent);
  const silent = cells.filter((holder) => holder.silent);
  const lack = what === 'trusts' ? 'not trusting the new authority yet' : 'without a certificate of the new one yet';
  return [
    words(hosts, `connected and ${lack}: try again in a few seconds; one of an older version: fleet host upgrade HOST`),
    words(telling, 'connected and not trusting the new authority yet: told again within a minute, so try again then'),
    words(
      silent,
      `of a version that does not say what it trusts: upgrade it there; or look there with "fleet peer ls" whether it has ` +
        `${newest.slice(0, SHORT)} of this cell, and go on with --force (one that has not is invited again afterwards)`,
    ),
  ]
    .filter((each) => each !== null)
    .join('. ');
};

/** Enough of a fingerprint for people to tell two apart. */
const SHORT = 12;

const words = (holders: readonly AuthorityHolder[], what: string): string | null =>
  holders.length === 0 ? null : `${holders.map(nameOf).join(', ')} ${holders.length === 1 ? 'is' : 'are'} ${what}`;

const isCell = ({ spiffeId }: AuthorityHolder): boolean => /^spiffe:\/\/[^/]+$/.test(spiffeId);

/** `host/user`, or `cell NAME`. */
const nameOf = ({ spiffeId }: AuthorityHolder): string =>
  spiffeId.replace(/^.*\/host\/(.+)\/user\/(.+)$/, '$1/$2').replace(/^spiffe:\/\/([^/]+)$/, 'cell $1');
