/** The choices of `fleet init`, from flags, from questions on a terminal, or as they are by default; and the text they make. */
import { editRoster } from '../../roster/edit/edit-roster.ts';
import { parseRoster } from '../../roster/parse.ts';
import {
  DEFAULT_MODELS,
  DEFAULT_RUNTIME,
  PRESETS,
  type Preset,
  type PresetChoice,
  presetNames,
  presetRoster,
} from '../../roster/presets.ts';
import type { CommandContext } from '../command.ts';
import { askChoice, askLine, askYes } from '../questions.ts';
import { UsageError } from '../usage-error.ts';
import type { Found } from './found-here.ts';

const DEFAULT_NAME = 'assistant';
const DEFAULT_FOLDER = '~/src';

export const chooseRoster = async (context: CommandContext): Promise<PresetChoice> => {
  const { flags, stdin } = context;
  const asks = stdin.isTTY === true;
  const text = (flag: string): string | undefined => flags[flag] as string | undefined;
  const line = async (flag: string, question: string, empty: string): Promise<string> =>
    text(flag) ?? (asks ? await askLine(context, question, empty) : empty);
  const preset =
    (text('preset') as Preset | undefined) ??
    (asks ? await askChoice(context, 'preset', PRESETS, 'minimal') : 'minimal');
  const name = preset === 'minimal' ? await line('name', 'name of the agent', DEFAULT_NAME) : DEFAULT_NAME;
  if (preset !== 'minimal' && flags.name !== undefined) throw new UsageError('--name is for the preset minimal');
  const runtime = await line('runtime', 'runtime', DEFAULT_RUNTIME);
  const usual = Object.hasOwn(DEFAULT_MODELS, runtime) ? (DEFAULT_MODELS[runtime] as string) : null;
  const model = text('model') ?? (asks && usual !== null ? await askLine(context, 'model', usual) : usual);
  const workingDirectory = await line('workdir', 'folder to work in', DEFAULT_FOLDER);
  return { preset, name, runtime, model, workingDirectory };
};

/** Asked on a terminal where no flag says it. */
export const chooseAdopted = async (context: CommandContext, found: readonly Found[]): Promise<Found[]> => {
  const { flags, stdin } = context;
  if (flags.adopt && flags['no-adopt']) throw new UsageError('--adopt and --no-adopt contradict each other');
  const able = found.filter(({ entry }) => entry !== null);
  if (able.length === 0 || flags['no-adopt']) return [];
  if (flags.adopt) return able;
  const names = able.map(({ row }) => row.agent).join(', ');
  return stdin.isTTY && (await askYes(context, `take ${names} into the roster, as they run?`, true)) ? able : [];
};

/** An adopted session has its name, whatever the preset meant by it. Throws UsageError for a choice that no roster takes. */
export const firstRoster = (choice: PresetChoice, adopted: readonly Found[], path: string): string => {
  const entries = adopted.flatMap(({ entry }) => (entry === null ? [] : [entry]));
  const taken = new Set(entries.map(({ name }) => name));
  const remove = new Set(presetNames(choice.preset, choice.name).flatMap((name, at) => (taken.has(name) ? [at] : [])));
  const preset = presetRoster(choice);
  const { problem: wrong } = parseRoster(preset, path);
  if (wrong !== null) throw new UsageError(`${wrong}; nothing was written`);
  const text = entries.length === 0 ? preset : editRoster(preset, { remove, add: entries });
  const { problem } = parseRoster(text, path);
  if (problem !== null) throw new UsageError(`${problem}; nothing was written`);
  return text;
};
