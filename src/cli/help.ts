/** Help, from the table of verbs alone. */
import type { CommandSpec, FlagSpec } from './command.ts';
import { GLOBAL_FLAGS, groupVerbs } from './parse.ts';

export const overview = (specs: readonly CommandSpec[]): string => {
  const shown = specs.filter(({ hidden }) => !hidden);
  const width = Math.max(...shown.map((spec) => usageOf(spec).length));
  return [
    'fleet: every agent on every machine, and which one needs you',
    '',
    ...shown.map((spec) => `  ${usageOf(spec).padEnd(width)}  ${spec.summary}`),
    '',
    ...flagLines(GLOBAL_FLAGS),
    '',
    'fleet alone is fleet ps. fleet VERB --help has examples and every default.',
    'exit: 0 done, 1 failed, 2 usage, 3 partial, 4 not found, 5 unreachable, 6 not permitted, 7 timed out, 8 refused',
    '',
  ].join('\n');
};

export const groupHelp = (group: string, specs: readonly CommandSpec[]): string => {
  const names = new Set(groupVerbs(group, specs));
  return specs
    .filter((spec) => names.has(`fleet ${spec.name}`))
    .map((spec) => `  fleet ${usageOf(spec)}\n      ${spec.summary}\n`)
    .join('');
};

export const verbHelp = (spec: CommandSpec): string =>
  [
    `fleet ${spec.name}: ${spec.summary}`,
    '',
    `usage: fleet ${usageOf(spec)}${spec.flags.length > 0 ? ' [flags]' : ''}`,
    '',
    ...flagLines([...spec.flags, ...GLOBAL_FLAGS]),
    ...(spec.notes ? ['', ...spec.notes.split('\n')] : []),
    '',
    spec.examples.length === 1 ? 'example:' : 'examples:',
    ...spec.examples.map((example) => `  ${example}`),
    '',
  ].join('\n');

const usageOf = (spec: CommandSpec): string => (spec.args === '' ? spec.name : `${spec.name} ${spec.args}`);

const flagLines = (flags: readonly FlagSpec[]): string[] => {
  const heads = flags.map(flagHead);
  const width = Math.max(...heads.map((head) => head.length));
  return flags.map((flag, index) => `  ${(heads[index] as string).padEnd(width)}  ${flag.help}${addenda(flag)}`);
};

const flagHead = (flag: FlagSpec): string =>
  `${flag.short ? `-${flag.short}, ` : '    '}--${flag.name}${flag.type === 'string' ? valueHead(flag) : ''}`;

const valueHead = ({ value = 'VALUE', bare }: FlagSpec): string => (bare === undefined ? ` ${value}` : `[=${value}]`);

const addenda = (flag: FlagSpec): string => {
  const parts = [];
  if (flag.choices) parts.push(flag.choices.join(' | '));
  if (flag.multiple) parts.push('may be repeated');
  if (flag.default !== undefined) parts.push(`default ${flag.default}`);
  else if ((flag.type === 'boolean' || flag.bare !== undefined) && flag.name !== 'help') parts.push('default off');
  if (flag.bare !== undefined) parts.push(`alone ${flag.bare}`);
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
};
