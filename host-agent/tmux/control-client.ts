/**
 * One `tmux -C` process: lines in, replies and notifications out, in order. It never starts a server, never
 * sizes a window, and leaves by the end of its stdin: a signal can crash servers before 3.7 (tmux#4980, #5004).
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { BugError, FleetError } from '../../src/domain/errors.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { spawnClient, whenGone } from './client-process.ts';
import { type ControlEvent, ControlParser, type ParserBounds } from './control-parser.ts';

export interface ControlClientOptions {
  tmuxPath: string;
  /** Path of a socket that passed `checkSocket` just now. */
  socket: string;
  /** `$3`: ids are exact, names are looked up anew by every command. */
  sessionId: string;
  /** Client flags of attach-session, among them always `ignore-size`. */
  flags: string;
  bounds?: ParserBounds;
}

/** How a client ended; `words` is what it said last (`%exit` reason or stderr), cleaned of nothing. */
export interface ControlEnd {
  words: string;
}

interface Pending {
  line: string;
  /** Replies that are still to come, and what the ones before held. */
  missing: number;
  replies: Buffer[][];
  resolve: (replies: Buffer[][]) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

const MAX_PENDING = 64;
const MAX_STDERR_BYTES = 4_096;
/** A healthy server lets a client go within milliseconds; only a hung one keeps it longer. */
const LEAVE_MS = 2_000;

export class ControlClient {
  readonly #options: ControlClientOptions;
  readonly #notifications = new Listeners<[Buffer]>();
  readonly #parser: ControlParser;
  readonly #pending: Pending[] = [];
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<ControlEnd>();
  #child: ChildProcessWithoutNullStreams | null = null;
  #isOpen = false;
  #isClosed = false;
  #words = '';

  constructor(options: ControlClientOptions) {
    this.#options = options;
    this.#parser = new ControlParser(options.bounds);
    this.#opened.promise.catch(() => undefined);
  }

  get sessionId(): string {
    return this.#options.sessionId;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Resolves when tmux has attached the client; rejects when it ended before. Has no deadline of its own. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves once, when the process is gone. */
  get closed(): Promise<ControlEnd> {
    return this.#closed.promise;
  }

  /** Each line outside replies, as bytes without newline. */
  onNotification(listener: (line: Buffer) => void): Disposable {
    return this.#notifications.add(listener);
  }

  start(): void {
    const { tmuxPath, socket, sessionId, flags } = this.#options;
    const child = spawnClient(tmuxPath, socket, ['-C', 'attach-session', '-E', '-t', sessionId, '-f', flags]);
    this.#child = child;
    void whenGone(child).then((end) => {
      if ('spawnError' in end) this.#words = end.spawnError.message;
      this.#end();
    });
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#words = (this.#words + chunk.toString()).slice(-MAX_STDERR_BYTES);
    });
  }

  /**
   * Runs one tmux command (no newline, no `;`) and resolves with the lines it printed. Rejects with
   * FAILED_PRECONDITION and tmux's words when tmux refuses it, DEADLINE_EXCEEDED when no answer came in time
   * (a late one is dropped, later ones keep their places), UNAVAILABLE when the client ended.
   */
  async command(line: string, options: { timeoutMs: number }): Promise<Buffer[]> {
    const [lines] = await this.sequence([line], options);
    return lines as Buffer[];
  }

  /**
   * Runs commands one after the other, nothing of the server's between them, and resolves with the lines of each. Rejects
   * as `command` does; after one that tmux refuses the others are not run.
   */
  sequence(commands: readonly string[], options: { timeoutMs: number }): Promise<Buffer[][]> {
    return this.#ask(commands.join(' ; '), commands.length, options);
  }

  /**
   * Runs one command that makes tmux run exactly one other (`if-shell -F`), and resolves with the lines of that one.
   * Rejects as `command` does.
   */
  async nested(line: string, options: { timeoutMs: number }): Promise<Buffer[]> {
    const [, lines] = await this.#ask(line, 2, options);
    return lines as Buffer[];
  }

  #ask(line: string, replies: number, options: { timeoutMs: number }): Promise<Buffer[][]> {
    if (line === '' || line.includes('\n')) throw new BugError('a control line must be one line, and not empty');
    if (this.#isClosed || !this.#child) return Promise.reject(this.#gone());
    if (this.#pending.length >= MAX_PENDING) {
      const message = `${MAX_PENDING} commands wait for the tmux server at ${this.#options.socket}; try again later`;
      return Promise.reject(new FleetError('RESOURCE_EXHAUSTED', message, { retryable: true }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Buffer[][]>();
    const timer = setTimeout(() => {
      const message = `the tmux server at ${this.#options.socket} did not answer within ${options.timeoutMs} ms`;
      reject(new FleetError('DEADLINE_EXCEEDED', message));
    }, options.timeoutMs);
    this.#pending.push({ line, missing: replies, replies: [], resolve, reject, timer });
    this.#child.stdin.write(`${line}\n`);
    return promise;
  }

  /** Ends stdin and waits; a client that its server does not let go is ended by its pid after the deadline. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child || this.#isClosed) return;
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), LEAVE_MS);
    await this.closed;
    clearTimeout(timer);
  }

  #read(chunk: Buffer): void {
    let events: ControlEvent[];
    try {
      events = this.#parser.push(chunk);
    } catch (error) {
      this.#words = (error as Error).message;
      this.#child?.stdout.removeAllListeners('data').resume();
      void this.close();
      return;
    }
    for (const event of events) {
      if (event.type === 'notification') this.#notification(event.line);
      else if (event.ours) this.#reply(event.ok, event.lines);
      else this.#attached(event.ok, event.lines);
    }
  }

  #attached(ok: boolean, lines: Buffer[]): void {
    if (this.#isOpen) return;
    if (!ok) {
      this.#words = Buffer.concat(lines).toString();
      return;
    }
    this.#isOpen = true;
    this.#opened.resolve();
  }

  #reply(ok: boolean, lines: Buffer[]): void {
    const [pending] = this.#pending;
    if (!pending) return;
    pending.missing -= 1;
    pending.replies.push(lines);
    if (ok && pending.missing > 0) return;
    this.#pending.shift();
    clearTimeout(pending.timer);
    if (ok) pending.resolve(pending.replies);
    else {
      const verb = pending.line.split(' ', 1)[0];
      const words = Buffer.concat(lines).toString();
      pending.reject(new FleetError('FAILED_PRECONDITION', `tmux refused ${verb}: ${words}`));
    }
  }

  #notification(line: Buffer): void {
    if (line.subarray(0, 5).toString('latin1') === '%exit') this.#words = line.subarray(6).toString() || this.#words;
    this.#notifications.emit(line);
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const gone = this.#gone();
    this.#opened.reject(gone);
    for (const pending of this.#pending.splice(0)) {
      clearTimeout(pending.timer);
      pending.reject(gone);
    }
    this.#closed.resolve({ words: this.#words.trim() });
  }

  #gone(): FleetError {
    const words = this.#words.trim();
    return new FleetError('UNAVAILABLE', `the tmux client at ${this.#options.socket} ended${words && `: ${words}`}`);
  }
}
