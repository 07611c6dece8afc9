/** Words of a command line as keys of a roster's entry. What a value may be is the roster's own parser's to say. */
import type { KeyChange, KeyPath, KeyValue, NewEntry } from '../../roster/edit/changes.ts';
import { canonicalKey, keysOfAgents, nearestKey } from '../../roster/keys.ts';
import { UsageError } from '../usage-error.ts';

/** As flags and rows call them. */
const ALSO: Readonly<Record<string, string>> = {
  model: 'model_hint',
  role: 'class',
  workdir: 'working_directory',
  cwd: 'working_directory',
};
const SWITCHES: ReadonlySet<string> = new Set(['persistent_persona', 'reset_between_tasks']);
const VARIABLE = /^env\.([A-Za-z_][A-Za-z0-9_]*)$/;

/** `model_hint`, its twin `modelHint`, `model`, or `env.NAME`. Throws UsageError with the nearest. */
export const keyPath = (word: string): KeyPath => {
  const variable = VARIABLE.exec(word)?.[1];
  if (variable !== undefined) return ['env', variable];
  const { keys, level } = keysOfAgents();
  const key = ALSO[word] ?? canonicalKey(word, level);
  if (key === 'name' || key === 'host')
    throw new UsageError(`"${word}" is what an agent is known by: remove it and add it anew`);
  if (key === 'env') throw new UsageError('variables are set one by one: --set env.NAME=VALUE');
  if (keys.includes(key)) return [key];
  const nearest = nearestKey(word, [...keys, ...Object.keys(ALSO)]);
  throw new UsageError(
    `unknown key "${word}"${nearest === null ? `: one of ${keys.join(', ')}` : `; did you mean ${nearest}?`}`,
  );
};

/** Of `--set KEY=VALUE` and `--unset KEY`. */
export const keyChanges = (set: readonly string[], unset: readonly string[]): KeyChange[] => {
  const changes = [
    ...set.map((word): KeyChange => {
      const [key, value] = splitWord('set', word);
      const path = keyPath(key);
      return { path, value: switchOrText(path[0], value) };
    }),
    ...unset.map((key): KeyChange => ({ path: keyPath(key), value: null })),
  ];
  const names = changes.map(({ path }) => path.join('.'));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`${twice} is there twice`);
  return changes;
};

const splitWord = (flag: string, word: string): [string, string] => {
  const at = word.indexOf('=');
  if (at < 1) throw new UsageError(`--${flag} "${word}": write ${flag === 'env' ? 'NAME' : 'KEY'}=VALUE`);
  return [word.slice(0, at), word.slice(at + 1)];
};

const switchOrText = (key: string, value: string): KeyValue => {
  if (!SWITCHES.has(key)) return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new UsageError(`${key} is true or false, not "${value}"`);
};

/** Flags of `fleet add` in the order in which an entry says them. */
const ADD_FLAGS: readonly (readonly [flag: string, key: string])[] = [
  ['runtime', 'runtime'],
  ['model', 'model_hint'],
  ['effort', 'effort'],
  ['class', 'class'],
  ['lifecycle', 'lifecycle'],
  ['workdir', 'working_directory'],
  ['command', 'command'],
  ['env-file', 'env_file'],
  ['restart', 'restart'],
  ['layout', 'layout'],
  ['socket', 'socket'],
];

export const entryOfFlags = (
  name: string,
  flags: Readonly<Record<string, string | boolean | string[] | undefined>>,
  version: 1 | 2,
): NewEntry => {
  const entry: Record<string, KeyValue> = { name };
  for (const [flag, key] of ADD_FLAGS) {
    const value = flags[flag];
    if (typeof value !== 'string') continue;
    // Version 1 has other words for it.
    if (version === 1 && key === 'lifecycle') entry[PERSONA[value] as string] = true;
    else entry[key] = value;
  }
  const variables = ((flags.env as string[] | undefined) ?? []).map((word) => splitWord('env', word));
  if (variables.length > 0) entry.env = Object.fromEntries(variables);
  return entry;
};

const PERSONA: Readonly<Record<string, string>> = { core: 'persistent_persona', ephemeral: 'reset_between_tasks' };
