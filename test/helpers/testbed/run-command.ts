/** Programs that a test needs to succeed: runs argv, throws with its own words where it does not. */
import { type ExecOptions, type ExecResult, exec } from '../../../src/runtime/exec.ts';

/** Quotes one word for a POSIX shell. */
export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Stdout of `argv`; throws where it fails, naming the program and its last words. Deadline 60 s unless told. */
export const run = async (argv: readonly string[], options: Partial<ExecOptions> = {}): Promise<string> => {
  const result = await attempt(argv, options);
  if (result.exitCode === 0) return result.stdout;
  throw new Error(`${argv.join(' ').slice(0, 300)}: ${whyFailed(result)}`);
};

/** As `run`, but a failure is a result. */
export const attempt = async (argv: readonly string[], options: Partial<ExecOptions> = {}): Promise<ExecResult> => {
  const [file, ...args] = argv;
  if (file === undefined) throw new Error('no program was named');
  return exec(file, args, { timeoutMs: 60_000, ...options });
};

const whyFailed = (result: ExecResult): string => {
  if (result.spawnError !== null) return result.spawnError;
  const how = result.timedOut ? 'ran into its deadline' : `exit ${result.exitCode}`;
  return `${how}: ${(result.stderr || result.stdout).trim().slice(-2_000)}`;
};
