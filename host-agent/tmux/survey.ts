/**
 * In: a socket. Out: what one short-lived tmux client of ours could list there. Never: a server started, a
 * failure taken for "nothing there", or a second client sent while one still waits for a hung server.
 */
import type { TmuxProblem } from '../inventory/source.ts';
import { runClient } from './client-process.ts';
import { listCommands, newMark } from './list-format.ts';
import { parseLists, type ServerList } from './list-parse.ts';

export type Answer<T> = { kind: 'listed'; value: T } | { kind: 'gone' } | { kind: 'problem'; problem: TmuxProblem };

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
  const { tmuxPath, socket, signal } = surveyor;
  const { end, stdout, stderr } = await runClient({ tmuxPath, socket, args, maxBytes: MAX_OUTPUT_BYTES }, signal);
  if ('spawnError' in end) {
    const words = `${tmuxPath} cannot be run (${end.spawnError.code}): install tmux 3.2 or newer`;
    return { kind: 'problem', problem: { code: 'failed', words } };
  }
  if (end.exitCode === 0 || EMPTY.test(stderr)) return { kind: 'listed', value: stdout.toString('utf8') };
  if (GONE.test(stderr)) return { kind: 'gone' };
  return { kind: 'problem', problem: problemOf(stderr, end.exitCode) };
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
