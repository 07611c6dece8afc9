/**
 * In: one session of one life of a tmux server, by its id, or one life of a pane of it. Out: whether it is there, its end,
 * or the program of the pane begun anew. Never another one: the server itself compares its pid, and an id is not used again.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { saysNoServer } from '../../src/domain/tmux-words.ts';
import { type ClientOutput, runClient } from './client-process.ts';
import { checkSocket } from './socket-safety.ts';

export interface SessionPlace {
  /** Path of the server's socket. */
  socket: string;
  serverPid: number;
  /** `$3`. */
  sessionId: string;
}

export interface PanePlace extends SessionPlace {
  /** `%7`. */
  paneId: string;
  panePid: number;
}

export interface SessionEndOptions {
  tmuxPath: string;
  uid: number;
}

const ANSWER_MS = 5_000;
const MAX_OUTPUT_BYTES = 1 << 20;
const SESSION_ID = /^\$\d+$/;
const PANE_ID = /^%\d+$/;

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

  /** Pid of what runs in that pane of that session; null where either is gone. */
  async panePid(place: SessionPlace & { paneId: string }, signal: AbortSignal): Promise<number | null> {
    const { serverPid, sessionId, paneId } = place;
    const panes = ['list-panes', '-s', '-t', sessionId, '-F', '#{pid} #{pane_id} #{pane_pid}'];
    const lines = (await this.#run(place, panes, signal))?.stdout.toString().split('\n') ?? [];
    const pid = lines.find((line) => line.startsWith(`${serverPid} ${paneId} `))?.split(' ')[2];
    return pid === undefined ? null : Number(pid);
  }

  /**
   * Ends what runs in the pane and begins there again what it was started with. Only that life of it: where another
   * process is in it by then nothing is done, and `panePid` afterwards says so.
   */
  async respawn(place: PanePlace, signal: AbortSignal): Promise<void> {
    const { serverPid, paneId, panePid } = place;
    if (!PANE_ID.test(paneId)) throw new FleetError('INVALID_ARGUMENT', 'that is no id of a pane');
    if ((await this.panePid(place, signal)) !== panePid) return;
    const same = `#{&&:#{==:#{pid},${serverPid}},#{==:#{pane_pid},${panePid}}}`;
    await this.#run(place, ['if-shell', '-F', '-t', paneId, same, `respawn-pane -k -t '${paneId}'`], signal);
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
    if (saysNoServer(output.stderr)) return null;
    if (/can't find (?:session|pane)/.test(output.stderr)) return output;
    const words = output.stderr.trim().split('\n')[0] || 'it did not answer in time';
    throw new FleetError('UNAVAILABLE', `tmux at ${place.socket} cannot be asked: ${words}`);
  }
}
