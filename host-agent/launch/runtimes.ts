/**
 * How each runtime is started when nobody says a command: data only. A new runtime is one entry here. Flags were tried on
 * the real programs: pi 0.73, codex 0.171, claude 2.1, opencode 1.18.
 */
import { join } from 'node:path';

export interface RuntimeLaunch {
  /** Program and arguments that say the model and the effort, both in its own words. */
  words(choice: ModelChoice, mosaicHome: string): string[];
  /** What it calls efforts that others have and it has not; with such a word pi takes another model, and says nothing. */
  efforts: Readonly<Record<string, string>>;
  /** Added where its own help names them. */
  flagsIfTaken: readonly string[];
  /** Whether `mosaic yolo NAME` starts it, where there is a mosaic. */
  byMosaic: boolean;
  /** What is known of it without an attached client; null: it lasts. */
  detached: string | null;
}

export interface ModelChoice {
  /** As it is written, an effort after a colon included. */
  model: string | null;
  effort: string | null;
}

/** What runtimes call efforts. */
const EFFORT = /:(none|off|minimal|low|medium|high|xhigh|max)$/;

/** `a/b:high` is model `a/b` and effort `high`, which outranks the effort beside it. */
const splitModel = ({ model, effort }: ModelChoice): ModelChoice => {
  const said = model === null ? null : EFFORT.exec(model);
  return said ? { model: model!.slice(0, said.index), effort: said[1]! } : { model, effort };
};

/** Model and effort as one word. */
export const joinModel = ({ model, effort }: ModelChoice): string | null =>
  model === null || effort === null ? model : `${model}:${effort}`;

/** The choice with both parts told apart, the effort as this runtime calls it. */
export const choiceOf = ({ efforts }: RuntimeLaunch, said: ModelChoice): ModelChoice => {
  const { model, effort } = splitModel(said);
  return { model, effort: effort !== null && Object.hasOwn(efforts, effort) ? efforts[effort]! : effort };
};

const flag = (name: string, value: string | null): string[] => (value === null ? [] : [name, value]);

const RUNTIME_LAUNCHES: Readonly<Record<string, RuntimeLaunch>> = {
  pi: {
    words: (choice) =>
      choice.model === null
        ? ['pi', ...flag('--thinking', choice.effort)]
        : ['pi', ...flag('--model', joinModel(choice))],
    efforts: { none: 'off', max: 'xhigh' },
    flagsIfTaken: [],
    byMosaic: true,
    detached: null,
  },
  codex: {
    words: ({ model, effort }) => [
      'codex',
      ...flag('--model', model),
      ...flag('-c', effort === null ? null : `model_reasoning_effort=${effort}`),
    ],
    efforts: { off: 'none' },
    // Its sessions would live in a server that whichever agent came first has started, and end with that one.
    flagsIfTaken: ['--no-daemon'],
    byMosaic: true,
    detached: 'a raw codex may exit while nobody is attached; pi on a codex model lasts',
  },
  claude: {
    words: ({ model, effort }) => ['claude', ...flag('--model', model), ...flag('--effort', effort)],
    efforts: { none: 'low', off: 'low', minimal: 'low' },
    flagsIfTaken: [],
    byMosaic: true,
    detached: null,
  },
  opencode: {
    words: ({ model }) => ['opencode', ...flag('--model', model)],
    efforts: {},
    flagsIfTaken: [],
    byMosaic: true,
    detached: null,
  },
  stub: {
    words: (_, mosaicHome) => ['python3', join(mosaicHome, 'fleet', 'dogfood-agent.py')],
    efforts: {},
    flagsIfTaken: [],
    byMosaic: false,
    detached: null,
  },
};

/** A runtime that nobody told us of is started by its name alone. */
export const runtimeLaunch = (runtime: string): RuntimeLaunch =>
  Object.hasOwn(RUNTIME_LAUNCHES, runtime)
    ? RUNTIME_LAUNCHES[runtime]!
    : { words: () => [runtime], efforts: {}, flagsIfTaken: [], byMosaic: true, detached: null };
