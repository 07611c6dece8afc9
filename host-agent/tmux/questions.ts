/**
 * In: commands that only ask. Out: what one tmux server answered, through the client that follows it or else by one
 * short-lived client. Never: more clients than one sent after another that a hung server has not answered.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { saysNoServer } from '../../src/domain/tmux-words.ts';
import { type ClientOutput, runClient } from './client-process.ts';
import type { ControlClient } from './control-client.ts';
import { controlLine } from './list-format.ts';
import { untilAborted } from './patience.ts';
import { checkSocket } from './socket-safety.ts';

export interface QuestionsOptions {
  tmuxPath: string;
  uid: number;
  /** See TmuxSource.follower. */
  follower(socket: string): ControlClient | null;
  /** Why the server cannot be asked now, as it was last read; null where nothing is known against it. */
  problem(socket: string): string | null;
}

/** Asks, and resolves with the lines of all commands, one after the other. */
export type Ask = (commands: readonly (readonly string[])[], signal: AbortSignal) => Promise<Buffer[]>;

const ANSWER_MS = 2_000;
const MAX_OUTPUT_BYTES = 16 << 20;
const NEWLINE = 0x0a;
const NO_PANE = /can't find (?:pane|window|session)/;

export class Questions {
  readonly #options: QuestionsOptions;
  /** Sockets whose server owes a client its answer. */
  readonly #owing = new Set<string>();

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /**
   * NOT_FOUND: tmux knows no such pane. UNAVAILABLE: the server is gone, or cannot be asked. DEADLINE_EXCEEDED: it did not
   * answer within 2 s.
   */
  async ask(socket: string, commands: readonly (readonly string[])[], signal: AbortSignal): Promise<Buffer[]> {
    const problem = this.#options.problem(socket);
    if (problem !== null)
      throw new FleetError('UNAVAILABLE', `the tmux server at ${socket} cannot be asked: ${problem}`);
    const follower = this.#options.follower(socket);
    if (follower === null) return this.#askOnce(socket, commands, signal);
    return askThrough(follower, commands, signal);
  }

  /** The session in which the server's follower is; null where the server is asked by short-lived clients. */
  followedSession(socket: string): string | null {
    return this.#options.follower(socket)?.sessionId ?? null;
  }

  /** `ask` with its socket given. */
  at(socket: string): Ask {
    return (commands, signal) => this.ask(socket, commands, signal);
  }

  async #askOnce(socket: string, commands: readonly (readonly string[])[], signal: AbortSignal): Promise<Buffer[]> {
    const { tmuxPath, uid } = this.#options;
    const late = () => new FleetError('DEADLINE_EXCEEDED', `the tmux server at ${socket} did not answer in time`);
    if (this.#owing.has(socket)) throw late();
    const place = checkSocket(socket, uid);
    if (place.verdict !== 'safe') {
      const words = place.verdict === 'unsafe' ? place.words : 'its socket is gone';
      throw new FleetError('UNAVAILABLE', `the tmux server at ${socket} cannot be asked: ${words}`);
    }
    const args = commands.flatMap((command, index) => (index === 0 ? command : [';', ...command]));
    const options = { tmuxPath, socket: place.path, args, maxBytes: MAX_OUTPUT_BYTES };
    // Not aborted with the caller: a client that waits is answered when the server goes on (README of this folder).
    const output = runClient(options, new AbortController().signal);
    const answered = await untilAborted(output, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
    if (answered !== null) return linesOf(socket, answered);
    this.#owing.add(socket);
    void output.finally(() => this.#owing.delete(socket));
    signal.throwIfAborted();
    throw late();
  }
}

/** Asks through a control client; rejects as `Questions.ask` does. */
export const askThrough = async (
  client: ControlClient,
  commands: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<Buffer[]> => {
  try {
    const answer = client.sequence(commands.map(controlLine), { timeoutMs: ANSWER_MS });
    const replies = await untilAborted(answer, signal);
    if (replies !== null) return replies.flat();
  } catch (error) {
    if (error instanceof FleetError && error.code === 'FAILED_PRECONDITION' && NO_PANE.test(error.message))
      throw new FleetError('NOT_FOUND', 'the pane is gone', { cause: error });
    throw error;
  }
  signal.throwIfAborted();
  throw new FleetError('CANCELLED', 'nobody waits for the answer');
};

const linesOf = (socket: string, { end, stdout, stderr }: ClientOutput): Buffer[] => {
  if ('exitCode' in end && end.exitCode === 0) return splitLines(stdout);
  const words = 'spawnError' in end ? end.spawnError.message : stderr.trim().split('\n')[0] || 'it said nothing';
  if (NO_PANE.test(words)) throw new FleetError('NOT_FOUND', 'the pane is gone');
  const what = saysNoServer(words) ? 'is gone' : 'cannot be asked';
  throw new FleetError('UNAVAILABLE', `the tmux server at ${socket} ${what}: ${words}`);
};

const splitLines = (bytes: Buffer): Buffer[] => {
  const lines: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
    lines.push(bytes.subarray(from, at));
    from = at + 1;
  }
  if (from < bytes.length) lines.push(bytes.subarray(from));
  return lines;
};
