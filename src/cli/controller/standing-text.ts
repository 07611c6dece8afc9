/** How a cell stands between two authorities, for people and for programs: who has what, and what becomes of who has not. */
import { cleanText } from '../../domain/clean-text.ts';
import type { AuthorityHolder, AuthorityStanding } from '../../wire/gen/fleet/v1/rotation.ts';

/** Enough of a fingerprint for people to tell two apart. */
const short = (fingerprint: string): string => fingerprint.slice(0, 12);

/** `host/user`, `operator NAME` or `cell NAME`. */
export const holderName = ({ spiffeId }: AuthorityHolder): string => {
  const [cell, kind = 'cell', name = cell, , user] = spiffeId.replace(/^spiffe:\/\//, '').split('/');
  return cleanText(kind === 'host' ? `${name}/${user}` : `${kind} ${name}`);
};

const namesOf = (holders: readonly AuthorityHolder[]): string => holders.map(holderName).join(', ');

/** Those that the next step would lock out: they cannot know the controller by its new certificate. */
export const leftBehind = ({ holders }: AuthorityStanding): AuthorityHolder[] =>
  holders.filter(({ connected, trusts }) => !connected && !trusts);

export const standingLines = (standing: AuthorityStanding): string[] => {
  const { phase, signing, other, holders } = standing;
  if (phase === 'none') return [`authority ${short(signing)} signs; no rotation is under way`, ...strangers(standing)];
  const isBegun = phase === 'begun';
  const connected = holders.filter((holder) => holder.connected);
  const ready = connected.filter((holder) => (isBegun ? holder.trusts : holder.renewed));
  const silent = connected.filter((holder) => holder.silent);
  const waiting = connected.filter((holder) => !ready.includes(holder) && !holder.silent);
  const countOf = (is: (holder: AuthorityHolder) => boolean): string =>
    `${ready.filter(is).length} of ${connected.filter(is).length}`;
  return [
    isBegun
      ? `begun: authority ${short(other)} is trusted, too; ${short(signing)} still signs`
      : `switched: authority ${short(signing)} signs; ${short(other)} is still trusted`,
    `${countOf(isHost)} connected hosts ${isBegun ? 'trust it' : 'have a certificate of it'}`,
    ...(connected.some(isCell) ? [`${countOf(isCell)} connected cells trust it`] : []),
    ...(waiting.length === 0 ? [] : [`not yet: ${namesOf(waiting)}`]),
    ...(silent.length === 0 ? [] : [silentWords(silent, isBegun ? other : signing)]),
    ...away(standing),
    ...strangers(standing),
    `next: fleet controller rotate-ca ${isBegun ? 'switch, or abort' : 'finish'}`,
  ];
};

/** They were told all the same; nobody here can know whether they took it. */
const silentWords = (silent: readonly AuthorityHolder[], newest: string): string =>
  `of a version that does not say: ${namesOf(silent)}; fleet peer ls there shows whether ${short(newest)} of this cell is known`;

const away = ({ holders }: AuthorityStanding): string[] => {
  const told = holders.filter(({ connected, trusts, renewed }) => !connected && trusts && !renewed);
  return told.length === 0 ? [] : [`away, and come back by themselves: ${namesOf(told)}`];
};

/** Who does not trust what signs now, or will sign. */
const strangers = (standing: AuthorityStanding): string[] => {
  const left = leftBehind(standing);
  const hosts = left.filter(isHost);
  const cells = left.filter(isCell);
  const people = left.filter((holder) => !isHost(holder) && !isCell(holder));
  const isBegun = standing.phase === 'begun';
  const joining = isBegun
    ? 'they join again unless they are back before the switch'
    : 'they join again: fleet host add USER@MACHINE --replace';
  const loggingIn = isBegun
    ? 'they are invited again unless they type a command before the switch'
    : 'they are invited again: fleet operator invite NAME';
  const peering = isBegun
    ? 'they are invited again unless their line is back before the switch'
    : 'they are invited again: fleet peer rm CELL, fleet peer invite CELL';
  return [
    ...(hosts.length === 0 ? [] : [`away without it: ${namesOf(hosts)}; ${joining}`]),
    ...(cells.length === 0 ? [] : [`away without it: ${namesOf(cells)}; ${peering}`]),
    ...(people.length === 0 ? [] : [`not told yet: ${namesOf(people)}; ${loggingIn}`]),
  ];
};

const isHost = ({ spiffeId }: AuthorityHolder): boolean => spiffeId.includes('/host/');

const isCell = ({ spiffeId }: AuthorityHolder): boolean => /^spiffe:\/\/[^/]+$/.test(spiffeId);

export const standingObject = ({ phase, signing, other, holders }: AuthorityStanding): object => ({
  phase,
  signing,
  other: other || null,
  holders: holders.map(({ spiffeId, connected, trusts, renewed, silent }) => ({
    spiffe_id: spiffeId,
    connected,
    trusts,
    renewed,
    silent,
  })),
});
