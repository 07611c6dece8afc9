/** Arguments to a verb, its flags and positionals, by the table of verbs. Throws UsageError; loads no verb's code. */
import { parseArgs } from 'node:util';
import { INSTANCE_NAME } from '../runtime/paths.ts';
import type { CommandContext, CommandSpec, FlagSpec } from './command.ts';
import { didYouMean } from './nearest.ts';
import { UsageError } from './usage-error.ts';

export const GLOBAL_FLAGS: readonly FlagSpec[] = [
  { name: 'instance', type: 'string', value: 'NAME', help: 'another fleet of this user, apart in every path' },
  {
    name: 'context',
    type: 'string',
    value: 'NAME',
    help: 'ask the controller of this context (default FLEET_CONTEXT, else the one in use); local: this machine',
  },
  { name: 'help', short: 'h', type: 'boolean', help: 'this text' },
];

export type Parsed =
  | { kind: 'help'; spec: CommandSpec | null; group: string | null }
  | {
      kind: 'run';
      spec: CommandSpec;
      positionals: string[];
      flags: CommandContext['flags'];
      instance: string | null;
      context: string | null;
      /** Nothing but `fleet` was typed, for whichever instance. */
      isBare: boolean;
    };

const DEFAULT_VERB = 'ps';

/** `argv` without node and program. Throws UsageError, whose words name what was wrong and what to type. */
export const parseCommandLine = (argv: readonly string[], specs: readonly CommandSpec[]): Parsed => {
  const { lead, words, rest } = splitVerb(argv, specs);
  if (words === 'help') return helpOn(rest, specs);
  const spec = specs.find(({ name }) => name === words);
  const { values, positionals } = readFlags([...lead, ...rest], spec ?? null, words);
  if (values.help)
    return { kind: 'help', spec: argv.length === lead.length + 1 ? null : (spec ?? null), group: spec ? null : words };
  if (!spec) throw new UsageError(`${words} what? One of: ${groupVerbs(words, specs).join(', ')}`);
  const instance = (values.instance as string | undefined) ?? null;
  if (instance !== null && !INSTANCE_NAME.test(instance)) {
    throw new UsageError(`--instance "${instance}": letters, digits, _ and -, at most 32, beginning with no sign`);
  }
  checkArity(spec, positionals);
  return {
    kind: 'run',
    spec,
    positionals,
    flags: checkFlags(spec, values),
    instance,
    context: (values.context as string | undefined) ?? null,
    isBare: argv.length === lead.length,
  };
};

export const groupVerbs = (group: string, specs: readonly CommandSpec[]): string[] =>
  specs.filter(({ name, hidden }) => !hidden && name.startsWith(`${group} `)).map(({ name }) => `fleet ${name}`);

/** Global flags may stand before the verb; any other flag there belongs to the default verb. */
const splitVerb = (
  argv: readonly string[],
  specs: readonly CommandSpec[],
): { lead: string[]; words: string; rest: string[] } => {
  let at = 0;
  for (let name = leading(argv[at]); name !== null; name = leading(argv[at])) at += argv[at] === `--${name}` ? 2 : 1;
  const lead = argv.slice(0, at);
  const [first, second] = argv.slice(at);
  if (first === '--version') return { lead, words: 'version', rest: argv.slice(at + 1) };
  if (first === undefined || first.startsWith('-')) return { lead, words: DEFAULT_VERB, rest: argv.slice(at) };
  const both = `${first} ${second}`;
  if (specs.some(({ name }) => name === both)) return { lead, words: both, rest: argv.slice(at + 2) };
  if (first === 'help' || specs.some(({ name }) => name === first))
    return { lead, words: first, rest: argv.slice(at + 1) };
  const verbs = specs.filter(({ hidden }) => !hidden).map(({ name }) => name);
  if (groupVerbs(first, specs).length === 0) {
    throw new UsageError(`unknown verb "${first}": ${didYouMean(first, verbs, 'fleet help lists them')}`);
  }
  if (second !== undefined && !second.startsWith('-')) {
    throw new UsageError(`unknown verb "${both}": ${didYouMean(both, verbs, groupVerbs(first, specs).join(', '))}`);
  }
  return { lead, words: first, rest: argv.slice(at + 1) };
};

/** A global flag with a value, alone or with it. */
const leading = (word: string | undefined): string | null =>
  ['instance', 'context'].find((name) => word === `--${name}` || word?.startsWith(`--${name}=`)) ?? null;

const helpOn = (words: readonly string[], specs: readonly CommandSpec[]): Parsed => {
  const name = words.join(' ');
  if (name === '') return { kind: 'help', spec: null, group: null };
  const spec = specs.find((candidate) => candidate.name === name);
  if (!spec && groupVerbs(name, specs).length === 0) {
    throw new UsageError(
      `no verb "${name}": ${didYouMean(
        name,
        specs.map((candidate) => candidate.name),
        'fleet help lists them',
      )}`,
    );
  }
  return { kind: 'help', spec: spec ?? null, group: spec ? null : name };
};

type Values = Record<string, string | boolean | string[] | undefined>;

const readFlags = (
  args: string[],
  spec: CommandSpec | null,
  verb: string,
): { values: Values; positionals: string[] } => {
  const known = [...(spec?.flags ?? []), ...GLOBAL_FLAGS];
  const options = Object.fromEntries(
    known.map(({ name, type, short, multiple, bare }) => [
      name,
      {
        type: bare === undefined ? type : 'boolean',
        ...(short ? { short } : {}),
        ...(multiple ? { multiple } : {}),
      } as const,
    ]),
  );
  const { values, positionals, tokens } = parseArgs({
    args,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const flag = known.find(({ name }) => name === token.name);
    if (!flag) throw unknownFlag(token.rawName, known, verb);
    if (flag.type === 'boolean' && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    const standsAlone = flag.bare !== undefined && token.value === undefined;
    if (flag.type === 'string' && !standsAlone && isNoValue(token.value, token.inlineValue)) {
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${flag.value ?? 'VALUE'}`);
    }
  }
  return { values: values as Values, positionals };
};

/** `--host --user` forgot a value; a lone `-` is stdin. */
const isNoValue = (value: string | undefined, isInline: boolean | undefined): boolean =>
  value === undefined || value === '' || (!isInline && value.length > 1 && value.startsWith('-'));

const unknownFlag = (typed: string, known: readonly FlagSpec[], verb: string): UsageError => {
  const names = known.map(({ name }) => `--${name}`);
  return new UsageError(`unknown flag ${typed}: ${didYouMean(typed, names, `fleet ${verb} --help lists them`)}`);
};

const checkArity = (spec: CommandSpec, positionals: readonly string[]): void => {
  const [least, most] = spec.arity;
  if (positionals.length >= least && positionals.length <= most) return;
  const usage = `usage: fleet ${spec.name}${spec.args === '' ? '' : ` ${spec.args}`}`;
  const what = positionals.length < least ? 'something is missing' : `"${positionals[most]}" is too much`;
  throw new UsageError(`fleet ${spec.name}: ${what}; ${usage}`);
};

/** Defaults filled in; values of closed sets checked, in the spelling of the set. Lists may be separated by commas. */
const checkFlags = (spec: CommandSpec, values: Values): Values => {
  const checked: Values = {};
  for (const flag of spec.flags) {
    const given = flag.bare !== undefined && values[flag.name] === true ? flag.bare : values[flag.name];
    const value = given ?? (flag.multiple ? undefined : flag.default);
    if (flag.choices && Array.isArray(value)) {
      checked[flag.name] = value.flatMap((item) => String(item).split(',')).map((item) => chosen(flag, item));
    } else checked[flag.name] = flag.choices && typeof value === 'string' ? chosen(flag, value) : value;
  }
  return checked;
};

const chosen = (flag: FlagSpec, value: string): string => {
  const choices = flag.choices ?? [];
  const choice = choices.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
  if (choice !== undefined) return choice;
  throw new UsageError(`--${flag.name} "${value}": one of ${choices.join(', ')}`);
};
