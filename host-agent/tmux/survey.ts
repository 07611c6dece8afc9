/**
 * In: a socket. Out: what one short-lived tmux client of ours could list there. Never: a server started, a
 * failure taken for "nothing there", or a second client sent while one still waits for a hung server.
 */
import { exec } from '../../src/runtime/exec.ts';
import type { TmuxProblem } from '../inventory/source.ts';
import { listCommands, newMark } from './list-format.ts';
import { parseLists, type ServerList } from './list-parse.ts';
import { observerEnvironment } from './observer.ts';

export type Answer<T> = { kind: 'listed'; value: T } | { kind: 'gone' } | { kind: 'problem'; problem: TmuxProblem };

/** Longest life of a client whose server hangs; the caller has called it late long before. */
export const HUNG_MS = 24 * 3_600_000;
const MAX_OUTPUT_BYTES = 16 << 20;

const GONE = /^(no server running on |error connecting to .*\(No such file or directory\)|server exited|lost server)/m;
const EMPTY = /^(no current target|no sessions|can't find (session|window|pane))/m;
const VERSIONS = /protocol version mismatch|unknown option|usage:/;

const problemOf = (stderr: string, exitCode: number | null): TmuxProblem => {
  const words = stderr.trim().split('\n')[0] || `tmux ended with exit code ${exitCode ?? 'none'} and no word`;
  if (VERSIONS.test(stderr))
    return { code: 'unsupported', words: `${words}; tmux 3.2 or newer is needed on both sides` };
  if (/access not allowed|Permission denied|Connection refused/.test(stderr)) return { code: 'refused', words };
  return { code: 'failed', words };
};

export interface Surveyor {
  tmuxPath: string;
  /** Path of a socket that passed `checkSocket` just now. */
  socket: string;
  signal: AbortSignal;
}

const ask = async (surveyor: Surveyor, commands: readonly string[][]): Promise<Answer<string>> => {
  const args = commands.flatMap((command, index) => (index === 0 ? command : [';', ...command]));
  const result = await exec(surveyor.tmuxPath, ['-N', '-u', '-S', surveyor.socket, ...args], {
    timeoutMs: HUNG_MS,
    env: observerEnvironment(),
    cleanEnv: true,
    cwd: '/',
    signal: surveyor.signal,
    maxBufferBytes: MAX_OUTPUT_BYTES,
  });
  if (result.spawnError !== null) {
    const words = `${surveyor.tmuxPath} cannot be run (${result.spawnError}): install tmux 3.2 or newer`;
    return { kind: 'problem', problem: { code: 'failed', words } };
  }
  if (result.exitCode === 0 || EMPTY.test(result.stderr)) return { kind: 'listed', value: result.stdout };
  if (GONE.test(result.stderr)) return { kind: 'gone' };
  return { kind: 'problem', problem: problemOf(result.stderr, result.exitCode) };
};

export const surveyServer = async (surveyor: Surveyor, nowMs: () => number): Promise<Answer<ServerList>> => {
  const mark = newMark();
  const answer = await ask(surveyor, listCommands(mark));
  if (answer.kind !== 'listed') return answer;
  try {
    return { kind: 'listed', value: parseLists(answer.value, mark, nowMs()) };
  } catch (error) {
    return { kind: 'problem', problem: { code: 'failed', words: (error as Error).message } };
  }
};

/** All hooks of the server and of one session, as tmux prints them. */
export const surveyHooks = (surveyor: Surveyor, sessionId: string): Promise<Answer<string>> =>
  ask(surveyor, [
    ['show-hooks', '-g'],
    ['show-hooks', '-t', sessionId],
  ]);
