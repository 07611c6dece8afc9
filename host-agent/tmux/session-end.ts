/**
 * In: one session of one life of a tmux server, by its id. Out: whether it is there, and its end. Never another session:
 * the server itself compares its pid, and an id is not used again while a server lives.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { type ClientOutput, runClient } from './client-process.ts';
import { checkSocket } from './socket-safety.ts';

export interface SessionPlace {
  /** Path of the server's socket. */
  socket: string;
  serverPid: number;
  /** `$3`. */
  sessionId: string;
}

export interface SessionEndOptions {
  tmuxPath: string;
  uid: number;
}

const ANSWER_MS = 5_000;
const MAX_OUTPUT_BYTES = 1 << 20;
const SESSION_ID = /^\$\d+$/;
const NO_SERVER = /no server running|error connecting to .*\((?:No such file|Connection refused)/;

export class SessionEnd {
  readonly #options: SessionEndOptions;

  constructor(options: SessionEndOptions) {
    this.#options = options;
  }

  /** Also false when its server is gone. Rejects with UNAVAILABLE when the server cannot be asked. */
  async isThere(place: SessionPlace, signal: AbortSignal): Promise<boolean> {
    const output = await this.#run(place, ['list-sessions', '-F', '#{pid} #{session_id}'], signal);
    return output?.stdout.toString().split('\n').includes(`${place.serverPid} ${place.sessionId}`) ?? false;
  }

  /** What it says afterwards is what counts: ask `isThere`. */
  async kill(place: SessionPlace, signal: AbortSignal): Promise<void> {
    const same = `#{==:#{pid},${place.serverPid}}`;
    await this.#run(place, ['if-shell', '-F', same, `kill-session -t '${place.sessionId}'`], signal);
  }

  /** null: there is no server. */
  async #run(place: SessionPlace, args: readonly string[], signal: AbortSignal): Promise<ClientOutput | null> {
    const { tmuxPath, uid } = this.#options;
    if (!SESSION_ID.test(place.sessionId)) throw new FleetError('INVALID_ARGUMENT', 'that is no id of a session');
    const verdict = checkSocket(place.socket, uid);
    if (verdict.verdict === 'gone') return null;
    if (verdict.verdict === 'unsafe') throw new FleetError('FAILED_PRECONDITION', `unsafe socket: ${verdict.words}`);
    const options = { tmuxPath, socket: verdict.path, args, maxBytes: MAX_OUTPUT_BYTES };
    const output = await runClient(options, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
    if ('exitCode' in output.end && output.end.exitCode === 0) return output;
    if (NO_SERVER.test(output.stderr)) return null;
    if (/can't find session/.test(output.stderr)) return output;
    const words = output.stderr.trim().split('\n')[0] || 'it did not answer in time';
    throw new FleetError('UNAVAILABLE', `tmux at ${place.socket} cannot be asked: ${words}`);
  }
}
