/** A verb as data: help, completion and parsing all come from this; its code is loaded only when it runs. */
import type { Paths } from '../runtime/paths.ts';

export interface FlagSpec {
  /** Long name without dashes. */
  name: string;
  short?: string;
  type: 'boolean' | 'string';
  multiple?: boolean;
  /** Shown in help; applied by the parser. */
  default?: string;
  /** The value of the flag where it stands alone; another is given as `--name=VALUE` only. */
  bare?: string;
  /** Name of the value in help: `--host HOST`; FILE is one of this machine, and completed as such. */
  value?: string;
  /** Closed set of values, checked by the parser and offered by completion. */
  choices?: readonly string[];
  help: string;
}

export interface CommandSpec {
  /** Words after `fleet`: `ps`, `host add`. */
  name: string;
  summary: string;
  /** `AGENT [TEXT…]` as shown in usage; FILE as for flags. */
  args: string;
  /** Least and most positionals. */
  arity: readonly [number, number];
  /** What completion offers for a positional that is neither AGENT nor HOST, by its name in `args` without dots. */
  words?: Readonly<Record<string, readonly string[]>>;
  flags: readonly FlagSpec[];
  /** At least one line that a person can copy. */
  examples: readonly string[];
  /** More prose for --help, where needed. */
  notes?: string;
  /** machine: it asks or changes this machine alone, so no context applies. contexts: it is about those themselves. */
  only?: 'machine' | 'contexts';
  /** It can go on for as long as somebody reads, and ends when nobody does. */
  streams?: true;
  /** Not in lists or completion. */
  hidden?: boolean;
  load: () => Promise<CommandModule>;
}

export interface CommandModule {
  /** Resolves with the exit code (exit-codes.ts). Throws FleetError or UsageError; `main` prints those. */
  run(context: CommandContext): Promise<number>;
}

export interface CommandContext {
  positionals: string[];
  flags: Readonly<Record<string, string | boolean | string[] | undefined>>;
  /** `paths.context` says who is asked. */
  paths: Paths;
  /** What `--context` named, for verbs about contexts. */
  named: string | null;
  env: NodeJS.ProcessEnv;
  stdin: NodeJS.ReadStream;
  /** Data. */
  stdout: NodeJS.WriteStream;
  /** Prose, progress, footers. */
  stderr: NodeJS.WriteStream;
  /** Aborts on SIGINT, SIGTERM, SIGHUP. */
  signal: AbortSignal;
}
