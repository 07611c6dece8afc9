/** Before anything is ended: how much and where, and whether that is meant. What only adds needs no question. */
import { cleanText } from '../../domain/clean-text.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Errand, PlaceWork } from './place-work.ts';

/** Throws where it is not meant. */
export const askEndings = async (
  context: CommandContext,
  errands: readonly Errand[],
  question?: string,
): Promise<void> => {
  const words = question ?? endingWords(errands);
  if (words !== null) await confirm(context, cleanText(`${words}?`));
};

/** `remove 1 agent and restart 2 on 2 hosts`; null where nothing is ended. */
const endingWords = (errands: readonly Errand[]): string | null => {
  const works = errands.filter((errand): errand is PlaceWork => errand.kind === 'work');
  const ending = works.map((work) => ({
    host: work.place.host,
    removes: work.removes.length,
    restarts: work.deploys.filter(({ launch }) => launch === 'restart').length,
  }));
  const sum = (key: 'removes' | 'restarts'): number => ending.reduce((total, each) => total + each[key], 0);
  const parts = [
    ...(sum('removes') > 0 ? [`remove ${agents(sum('removes'))}`] : []),
    ...(sum('restarts') > 0 ? [`restart ${agents(sum('restarts'))}`] : []),
  ];
  const hosts = new Set(ending.filter(({ removes, restarts }) => removes + restarts > 0).map(({ host }) => host)).size;
  return parts.length === 0 ? null : `${parts.join(' and ')} on ${hosts} host${hosts === 1 ? '' : 's'}`;
};

const agents = (count: number): string => `${count} agent${count === 1 ? '' : 's'}`;
