/** What became of each host of an upgrade: for people a line each and how to go on, for programs one document. */
import { cleanText } from '../../domain/clean-text.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

export interface HostTold {
  /** host/user, or what was named. */
  id: string;
  /** `lost`: it does not report, neither so nor taken back. */
  outcome: 'upgraded' | 'unchanged' | 'would' | 'rolled-back' | 'lost' | 'failed' | 'not-begun';
  reason: string | null;
  /** The version that it ran before; of one that went back, that it runs again. */
  from: string | null;
  exitCode: number;
}

/** No further host is begun behind one of these. */
export const isAway = ({ outcome }: Pick<HostTold, 'outcome'>): boolean =>
  outcome === 'rolled-back' || outcome === 'lost';

export const toldJson = (told: readonly HostTold[], to: string, cell: string): string =>
  jsonText({
    schema: 'fleet.upgrade/v1',
    to,
    hosts: told.map(({ id, outcome, reason, from }) => {
      const address = id.includes('@') ? null : `${cell}/${id}`;
      return { id, address, outcome, reason, from };
    }),
  });

export const toldLine = ({ id, outcome, reason, from }: HostTold, to: string): string => {
  const what = outcome === 'upgraded' || outcome === 'would' ? `${from ?? 'unknown'} to ${to}` : reason;
  return cleanText([id, outcome.replace('-', ' '), ...(what ? [what] : [])].join('  '));
};

/** What to type next; empty where nothing is left. */
export const nextWords = (told: readonly HostTold[]): string[] => {
  const words: string[] = [];
  for (const one of told.filter(isAway)) {
    const now = one.outcome === 'lost' ? 'does not report' : `runs ${one.from ?? 'what it ran'} again`;
    words.push(`${one.id} ${now}: fleet doctor ${hostOf(one.id)}`);
  }
  const left = new Set(told.filter(({ outcome }) => LEFT.includes(outcome)).map(({ id }) => hostOf(id)));
  if (left.size > 0) words.push(`go on with: fleet host upgrade ${[...left].join(' ')}`);
  return words;
};

const LEFT: readonly HostTold['outcome'][] = ['failed', 'not-begun'];

/** As they are named: USER@MACHINE, or the host. */
const hostOf = (id: string): string => (id.includes('@') ? id : (id.split('/')[0] as string));

/** As the one ended, or as all did; partial where only some had success. */
export const exitCodeOfTold = (told: readonly HostTold[]): number => {
  const codes = new Set(told.map(({ exitCode }) => exitCode));
  if (codes.size < 2) return [...codes][0] ?? EXIT.done;
  return codes.has(EXIT.done) ? EXIT.partial : EXIT.failed;
};
