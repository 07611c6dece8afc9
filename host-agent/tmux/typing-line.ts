/**
 * In: strokes for one pane. Out: the same, typed by tmux in their order; through one control client where that is
 * harmless, else by a short-lived one. Never: typed into another life of the pane (the server compares at that moment),
 * in an argument, in a log, or tried a second time.
 */
import { randomBytes } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import { cleanPaste, type KeyStroke } from '../../src/domain/key-stroke.ts';
import { tmuxQuoted } from '../../src/runtime/quote.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { chooseFollowing, hookRisk, mustSettle } from './attach-risk.ts';
import { spawnClient, whenGone } from './client-process.ts';
import { ControlClient } from './control-client.ts';
import { checkSocket } from './socket-safety.ts';
import { strokeRuns } from './stroke-runs.ts';
import { type Surveyor, surveyHooks, surveyServer } from './survey.ts';

export interface TypingLineOptions {
  tmuxPath: string;
  uid: number;
  /** Path of a listening socket. */
  socket: string;
  paneId: string;
  /** Of the program that was meant: a server begun anew, or a pane, may give its id to another. */
  panePid: number;
  /** Whether the server is followed by a control client: where one is not harmless, a second is not either. */
  mayFollow: () => boolean;
  /** When that may have changed. */
  onChange: (listener: () => void) => Disposable;
}

/** A healthy server answers within milliseconds. */
const ANSWER_MS = 5_000;
/** As long as the server watch waits before it attaches to a server that is vulnerable meanwhile (tmux#4980). */
const SETTLE_MS = 500;
const MAX_STDERR_BYTES = 4_096;
/** What tmux prints where it did not type. */
const REFUSED = 'fleet-refused';
const MAX_STDOUT_CHARACTERS = 4_096;
/** Sees no output, weighs nothing. */
const FLAGS = 'no-output,ignore-size';

export class TypingLine {
  readonly #options: TypingLineOptions;
  readonly #closing = new AbortController();
  #client: ControlClient | null = null;
  #opening: Promise<void> = Promise.resolve();
  #following: Disposable | null = null;

  constructor(options: TypingLineOptions) {
    this.#options = options;
  }

  /** Whether a control client types; until then, and where none may, each batch costs a process. */
  get isFast(): boolean {
    return this.#client !== null;
  }

  /** Begins to look for a control client; typing need not wait for it. */
  start(): void {
    this.#following = this.#options.onChange(() => {
      if (!this.#options.mayFollow()) void this.#drop();
    });
    this.#opening = this.#open().catch(() => undefined);
  }

  /**
   * Resolves when tmux has put all strokes into the pane's input. Rejects with NOT_FOUND when the pane is gone, and with
   * UNAVAILABLE or DEADLINE_EXCEEDED when it is not known how much was typed. One batch at a time.
   */
  async type(strokes: readonly KeyStroke[], signal: AbortSignal): Promise<void> {
    for (const run of strokeRuns(strokes, this.#options.paneId)) {
      if (signal.aborted) throw new FleetError('CANCELLED', 'typing was given up');
      if ('paste' in run) await this.#paste(run.paste);
      else await this.#lines(run.lines);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#following?.[Symbol.dispose]();
    await this.#opening;
    await this.#drop();
  }

  async #lines(lines: readonly string[]): Promise<void> {
    const client = this.#client;
    const guarded = lines.map((line) => this.#guard(line).map(tmuxQuoted).join(' '));
    if (client === null) {
      refuseIfSaid(await this.#once(['source-file', '-'], `${guarded.join('\n')}\n`));
      return;
    }
    const done = await Promise.allSettled(guarded.map((line) => client.nested(line, { timeoutMs: ANSWER_MS })));
    const failed = done.find((result) => result.status === 'rejected');
    if (failed) throw notFoundIfGone(failed.reason as FleetError);
    for (const result of done) if (result.status === 'fulfilled') refuseIfSaid(Buffer.concat(result.value).toString());
  }

  /** Compared and run by one command in the server, so that nothing comes between. */
  #guard(line: string): string[] {
    const { paneId, panePid } = this.#options;
    return ['if-shell', '-F', '-t', paneId, `#{==:#{pane_pid},${panePid}}`, line, `display-message -p ${REFUSED}`];
  }

  /** The text goes in by stdin, under a name of its own, which tmux forgets with the paste. */
  async #paste(text: string): Promise<void> {
    const clean = cleanPaste(text);
    if (clean === '') return;
    const name = `fleet-${randomBytes(8).toString('hex')}`;
    const { paneId } = this.#options;
    try {
      await this.#once(['load-buffer', '-b', name, '-'], clean);
      refuseIfSaid(await this.#once(this.#guard(`paste-buffer -p -r -d -b ${name} -t ${paneId}`), ''));
    } catch (error) {
      await this.#once(['delete-buffer', '-b', name], '').catch(() => undefined);
      throw error;
    }
  }

  /** Resolves with what it printed. */
  async #once(args: readonly string[], input: string): Promise<string> {
    const child = spawnClient(this.#options.tmuxPath, this.#safeSocket(), args);
    const gone = whenGone(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout = (stdout + chunk.toString()).slice(0, MAX_STDOUT_CHARACTERS);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-MAX_STDERR_BYTES);
    });
    child.stdin.end(input);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      // A waiting client ignores SIGTERM until its server answers.
      child.kill('SIGKILL');
    }, ANSWER_MS);
    const end = await gone;
    clearTimeout(timer);
    const { socket } = this.#options;
    if (isLate) throw new FleetError('DEADLINE_EXCEEDED', `the tmux server at ${socket} did not answer`);
    if ('spawnError' in end) throw new FleetError('UNAVAILABLE', `tmux cannot be run (${end.spawnError.code})`);
    const words = stderr.trim().split('\n')[0] ?? '';
    if (end.exitCode !== 0 || words !== '') {
      throw notFoundIfGone(new FleetError('UNAVAILABLE', `tmux at ${socket} refused to type: ${words}`));
    }
    return stdout;
  }

  /** Asked before every client: a hostile server can make its client run commands. */
  #safeSocket(): string {
    const { socket, uid } = this.#options;
    const verdict = checkSocket(socket, uid);
    if (verdict.verdict === 'safe') return verdict.path;
    if (verdict.verdict === 'gone') throw new FleetError('NOT_FOUND', `gone: no tmux server at ${socket}`);
    throw new FleetError('FAILED_PRECONDITION', `unsafe socket: ${verdict.words}`);
  }

  async #open(): Promise<void> {
    const { tmuxPath, mayFollow } = this.#options;
    if (!mayFollow()) return;
    const { signal } = this.#closing;
    const surveyor = { tmuxPath, socket: this.#safeSocket(), signal };
    const sessionId = await harmlessSession(surveyor);
    if (sessionId === null || signal.aborted || !mayFollow()) return;
    const client = new ControlClient({ tmuxPath, socket: surveyor.socket, sessionId, flags: FLAGS });
    client.start();
    void client.closed.then(() => {
      if (this.#client === client) this.#client = null;
    });
    const late = new AbortController();
    try {
      await Promise.race([client.opened, sleep(ANSWER_MS, AbortSignal.any([signal, late.signal])).then(giveUp)]);
    } catch {
      await client.close();
      return;
    } finally {
      late.abort();
    }
    if (signal.aborted || !mayFollow()) await client.close();
    else this.#client = client;
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.close();
  }
}

const giveUp = (): never => {
  throw new FleetError('DEADLINE_EXCEEDED', 'a control client was not let in');
};

/** A session that may be attached to without harm, twice found so; null where there is none. */
const harmlessSession = async (surveyor: Surveyor): Promise<string | null> => {
  const look = async () => {
    const answer = await surveyServer(surveyor, () => 0);
    return answer.kind === 'listed' ? answer.value : null;
  };
  let list = await look();
  if (list === null) return null;
  if (mustSettle(list.traits)) {
    await sleep(SETTLE_MS, surveyor.signal);
    const again = await look();
    if (again === null || structureOf(again) !== structureOf(list)) return null;
    list = again;
  }
  const choice = chooseFollowing(list.sessions, list.traits);
  if ('poll' in choice) return null;
  const hooks = await surveyHooks(surveyor, choice.follow.id);
  return hooks.kind === 'listed' && hookRisk(hooks.value) === null ? choice.follow.id : null;
};

const structureOf = ({ sessions }: { sessions: readonly { id: string; name: string; paneIds: readonly string[] }[] }) =>
  JSON.stringify(sessions.map(({ id, name, paneIds }) => [id, name, paneIds]));

const notFoundIfGone = (error: FleetError): FleetError =>
  /can't find (pane|window|session)|no server running|server exited|lost server/.test(error.message)
    ? new FleetError('NOT_FOUND', 'gone: the pane has ended', { cause: error })
    : error;

const refuseIfSaid = (printed: string): void => {
  if (printed.includes(REFUSED)) throw new FleetError('NOT_FOUND', 'gone: another program runs in its place now');
};
