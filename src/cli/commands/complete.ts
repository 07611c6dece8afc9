import { EVERYTHING } from '../../domain/agent-filter.ts';
import { addressOf, type ListedAgent } from '../../domain/listed-agent.ts';
import { systemClock } from '../../runtime/clock.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { CommandContext, CommandSpec, FlagSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { FILES } from '../files-word.ts';
import { linesOf } from '../output.ts';
import { GLOBAL_FLAGS } from '../parse.ts';
import { takePicture } from '../picture.ts';
import { specs } from './specs.ts';

/** A person waits with a finger on the key: what is not known by then is not offered. */
const DEADLINE_MS = 300;

/** bash puts a candidate on the command line as it is: a name that a shell would act upon is never offered. */
const SHELL_SAFE = /^[A-Za-z0-9_.,:@%+=/-]+$/;

export const run = async (context: CommandContext): Promise<number> => {
  const words = context.positionals;
  const last = words.at(-1) ?? '';
  const candidates = await candidatesFor(words.slice(0, -1), last, () => liveNames(context));
  if (candidates.includes(FILES)) {
    context.stdout.write(`${FILES}\n`);
    return EXIT.done;
  }
  const fitting = [...new Set(candidates)].filter((word) => word.startsWith(last) && SHELL_SAFE.test(word)).sort();
  context.stdout.write([...linesOf(fitting)].join(''));
  return EXIT.done;
};

export interface LiveNames {
  hosts: string[];
  /** `host/user`. */
  hostAgents: string[];
  tenants: string[];
  /** Addresses, percent-encoded: no candidate holds a space or a control character. */
  agents: string[];
  /** This one first. */
  cells: string[];
}

/** All words that may stand where `last` stands, after `before`; FILES for names of files. */
export const candidatesFor = async (
  before: readonly string[],
  last: string,
  names: () => Promise<LiveNames>,
): Promise<string[]> => {
  const shown = specs.filter(({ hidden }) => !hidden);
  const spec = specOf(before, shown);
  if (!spec) {
    const nested = nestedVerbs(before.at(-1), shown);
    return nested.length > 0 ? nested : shown.map(({ name }) => name.split(' ')[0] as string);
  }
  const flags = [...spec.flags, ...GLOBAL_FLAGS];
  const asked = flags.find((flag) => takesNextWord(flag) && isNamed(flag, before.at(-1)));
  if (asked) return valuesOf(asked, names);
  if (last.startsWith('-')) return flags.map(({ name }) => `--${name}`);
  const words = await wordsOf(spec, positionalsIn(before.slice(spec.name.split(' ').length), flags), last, names);
  // Of a verb that is a group as well, only the word right after it may be another verb.
  return before.length === 1 ? [...nestedVerbs(before[0], shown), ...words] : words;
};

const nestedVerbs = (group: string | undefined, shown: readonly CommandSpec[]): string[] =>
  shown
    .filter(({ name }) => group !== undefined && name.startsWith(`${group} `))
    .map(({ name }) => name.split(' ')[1] as string);

/** What may stand in that place of the usage line; its last name, with dots, stands for all that follow. */
const wordsOf = async (
  spec: CommandSpec,
  place: number,
  last: string,
  names: () => Promise<LiveNames>,
): Promise<string[]> => {
  if (/^[a-z|]+$/.test(spec.args)) return spec.args.split('|');
  const slots = spec.args.split(' ');
  const slot = slots[place] ?? (slots.at(-1)?.includes('…') ? slots.at(-1) : undefined);
  if (slot === undefined) return [];
  if (slot === 'FILE') return [FILES];
  if (/\bAGENT\b/.test(slot)) return agentWords((await names()).agents, last);
  if (/\bTENANT\b/.test(slot)) return (await names()).tenants;
  if (slot === 'HOST/USER') return (await names()).hostAgents;
  if (/\bHOST\b/.test(slot)) return (await names()).hosts;
  // Where a cell is named that is none of the flags', it is another one.
  if (/\b(CELL|PEER)\b/.test(slot)) return (await names()).cells.slice(1);
  return [...(spec.words?.[slot.replace(/[[\]…]/g, '')] ?? [])];
};

/** Addresses; to whoever has begun a word that may be an agent's own name also each name that only one has. */
const agentWords = (addresses: readonly string[], last: string): string[] => {
  if (last === '' || last.includes('/')) return [...addresses];
  const named = Map.groupBy(addresses, (address) => address.slice(address.lastIndexOf('/') + 1));
  return [...addresses, ...[...named].filter(([, those]) => those.length === 1).map(([name]) => name)];
};

const positionalsIn = (words: readonly string[], flags: readonly FlagSpec[]): number => {
  const isValue = (at: number): boolean => flags.some((flag) => takesNextWord(flag) && isNamed(flag, words[at - 1]));
  return words.filter((word, at) => (word === '-' || !word.startsWith('-')) && !isValue(at)).length;
};

const takesNextWord = ({ type, bare }: FlagSpec): boolean => type === 'string' && bare === undefined;

const isNamed = ({ name, short }: FlagSpec, word: string | undefined): boolean =>
  word === `--${name}` || (short !== undefined && word === `-${short}`);

const valuesOf = async (flag: FlagSpec, names: () => Promise<LiveNames>): Promise<string[]> => {
  if (flag.choices) return [...flag.choices];
  if (flag.value === 'FILE') return [FILES];
  if (flag.name === 'cell') return (await names()).cells;
  if (flag.name === 'tenant') return (await names()).tenants;
  return flag.name === 'host' ? (await names()).hosts : [];
};

const specOf = (before: readonly string[], shown: readonly CommandSpec[]): CommandSpec | undefined =>
  shown.find(({ name }) => `${before[0]} ${before[1]}` === name) ?? shown.find(({ name }) => before[0] === name);

/** An agent of this cell needs no cell before it. */
const typedAddress = (agent: ListedAgent, home: string): string => {
  const address = addressOf(agent);
  return agent.cell === home ? address.slice(address.indexOf('/') + 1) : address;
};

/** Empty where nobody answers in time: completion never fails and never says anything. */
const liveNames = async ({ paths, signal }: CommandContext): Promise<LiveNames> => {
  try {
    const asked = { localOnly: false, hostsOnly: false, clock: systemClock, signal, deadlineMs: DEADLINE_MS };
    const mirror = await takeSnapshot(paths, asked);
    const options = { filter: EVERYTHING, localOnly: false, compare: null };
    const { groups, peers } = takePicture(mirror, systemClock.monotonicMs(), options);
    const ours = groups.filter(({ host }) => host.cell === mirror.cell);
    return {
      hosts: ours.map(({ host }) => host.host),
      hostAgents: ours.map(({ id }) => id),
      tenants: ours.map(({ host }) => host.tenant_id),
      agents: groups.flatMap((group) => group.listed().map((agent) => typedAddress(agent, mirror.cell))),
      cells: [mirror.cell, ...peers.map(({ cell }) => cell)],
    };
  } catch {
    return { hosts: [], hostAgents: [], tenants: [], agents: [], cells: [] };
  }
};
