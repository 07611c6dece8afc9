/**
 * How each runtime is started when nobody says a command: data only. A new runtime is one entry here. Flags were read in
 * the programs' own help: pi 0.8x, codex 0.12x, claude 2.1, opencode 1.
 */
import { join } from 'node:path';

export interface RuntimeLaunch {
  /** Program and arguments that say the model and the effort in its own way. */
  words(choice: ModelChoice, mosaicHome: string): string[];
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
export const splitModel = ({ model, effort }: ModelChoice): ModelChoice => {
  const said = model === null ? null : EFFORT.exec(model);
  return said ? { model: model!.slice(0, said.index), effort: said[1]! } : { model, effort };
};

/** Model and effort as one word. */
export const joinModel = (choice: ModelChoice): string | null => {
  const { model, effort } = splitModel(choice);
  return model === null ? null : effort === null ? model : `${model}:${effort}`;
};

const flag = (name: string, value: string | null): string[] => (value === null ? [] : [name, value]);

export const RUNTIME_LAUNCHES: Readonly<Record<string, RuntimeLaunch>> = {
  pi: {
    words: (choice) =>
      choice.model === null
        ? ['pi', ...flag('--thinking', choice.effort)]
        : ['pi', ...flag('--model', joinModel(choice))],
    byMosaic: true,
    detached: null,
  },
  codex: {
    words: (choice) => {
      const { model, effort } = splitModel(choice);
      return [
        'codex',
        ...flag('--model', model),
        ...flag('-c', effort === null ? null : `model_reasoning_effort=${effort}`),
      ];
    },
    byMosaic: true,
    detached: 'a raw codex may exit while nobody is attached; pi on a codex model lasts',
  },
  claude: {
    words: (choice) => {
      const { model, effort } = splitModel(choice);
      return ['claude', ...flag('--model', model), ...flag('--effort', effort)];
    },
    byMosaic: true,
    detached: null,
  },
  opencode: {
    words: (choice) => ['opencode', ...flag('--model', splitModel(choice).model)],
    byMosaic: true,
    detached: null,
  },
  stub: {
    words: (_, mosaicHome) => ['python3', join(mosaicHome, 'fleet', 'dogfood-agent.py')],
    byMosaic: false,
    detached: null,
  },
};

/** A runtime that nobody told us of is started by its name alone. */
export const runtimeLaunch = (runtime: string): RuntimeLaunch =>
  Object.hasOwn(RUNTIME_LAUNCHES, runtime)
    ? RUNTIME_LAUNCHES[runtime]!
    : { words: () => [runtime], byMosaic: true, detached: null };
