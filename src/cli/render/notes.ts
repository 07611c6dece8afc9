/** The prose around a table, for stderr: what is missing, how much there is, whose view it is. */
import { cleanText } from '../../domain/clean-text.ts';
import { counted } from '../../domain/counted.ts';
import type { PeerStanding } from '../../wire/gen/fleet/v1/view.ts';
import { type HostGroup, isCutOff, isWhole, type Picture } from '../picture.ts';
import { fine } from './duration.ts';

/** The first line, when the controller could not be asked; null otherwise. */
export const localOnlyLine = (picture: Picture): string | null => {
  const { upstream } = picture;
  if (upstream === null || !isCutOff(picture)) return null;
  const reason = upstream.reason ? ` (${upstream.reason})` : '';
  const words = upstream.state === 'refused' ? 'refuses this host' : 'unreachable';
  return cleanText(`LOCAL ONLY: controller ${upstream.address} ${words} ${fine(upstream.ageMs / 1000)}${reason}`);
};

const MAX_HOSTS_NAMED = 3;

/** `4 agents, 3 current · dragon-lin lost 2m14s: fleet doctor dragon-lin · cell home, as jarvis (operator)` */
export const agentsFooter = (picture: Picture): string => {
  const { groups, filtered, inScope } = picture;
  const shown = sum(groups, (group) => group.shown);
  const current = sum(groups, (group) => (group.host.current ? group.shown : 0));
  const needing = sum(groups, (group) => group.needing);
  const count = filtered ? `${shown} of ${counted(inScope, 'agent')}` : counted(shown, 'agent');
  return joined([
    `${count}, ${current} current`,
    needing > 0 ? `${needing} ${needing === 1 ? 'needs' : 'need'} you: fleet next` : null,
    ...footerTail(picture),
  ]);
};

export const hostsFooter = (picture: Picture): string => {
  const connected = picture.groups.filter((group) => group.host.current).length;
  const hosts = new Set(picture.groups.map(({ host }) => `${host.cell}\n${host.host}`)).size;
  const counts = [
    ...(hosts === picture.groups.length ? [] : [counted(hosts, 'host')]),
    counted(picture.groups.length, 'host-agent'),
    `${connected} connected`,
  ];
  return joined([counts.join(', '), ...footerTail(picture)]);
};

const footerTail = (picture: Picture): (string | null)[] => {
  // Of a cell that cannot be heard no host can be.
  const silent = picture.peers.filter((peer) => peer.state !== 'connected' || !isWhole(peer));
  const isTold = ({ host }: HostGroup): boolean => !silent.some(({ cell }) => cell === host.cell);
  const away = picture.groups.filter((group) => !group.host.current && isTold(group));
  const named = away.slice(0, MAX_HOSTS_NAMED).map(awayWords(picture.cell));
  const more =
    away.length > MAX_HOSTS_NAMED ? `${away.length - MAX_HOSTS_NAMED} more hosts do not answer: fleet hosts` : null;
  return [
    ...named,
    more,
    ...silent.map(peerWords),
    picture.localOnly ? 'this machine only' : null,
    callerWords(picture),
  ];
};

const awayWords =
  (home: string) =>
  ({ label, host }: HostGroup): string => {
    const isOfPeer = host.cell !== home;
    const silent = host.link.state === 'connected';
    const words = `${label} ${silent ? 'silent' : host.link.state} ${fine(silent ? host.observed_age_seconds : host.link.age_seconds)}`;
    return host.link.state === 'lost' && !isOfPeer ? `${words}: fleet doctor ${label}` : words;
  };

/** `cell partner lost 2m14s (silent)`; of one that is heard, what is missing of it. */
const peerWords = ({ cell, state, reason, ageMs }: PeerStanding): string => {
  const why = reason ? ` (${reason.replaceAll('_', ' ')})` : '';
  return state === 'connected' ? `cell ${cell} not whole${why}` : `cell ${cell} ${state} ${fine(ageMs / 1_000)}${why}`;
};

const callerWords = ({ cell, caller }: Picture): string | null => {
  const whom = caller ? `as ${caller.name} (${caller.role})` : null;
  const where = cell === '' ? null : `cell ${cell}`;
  return where && whom ? `${where}, ${whom}` : (where ?? whom);
};

const sum = (groups: readonly HostGroup[], count: (group: HostGroup) => number): number =>
  groups.reduce((total, group) => total + count(group), 0);

const joined = (parts: (string | null)[]): string => cleanText(parts.filter((part) => part !== null).join(' · '));
