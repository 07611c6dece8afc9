/**
 * In: a session. Out: a word as soon as a pane of it has printed, through one control client with output on. What was
 * printed is thrown away unread, and tmux is told to keep it: no program ever waits for us.
 *
 *   joining ──attached──▶ live ──client ended, or is no longer harmless──▶ apart ──retryMs──▶ joining
 *      └──not harmless──▶ apart
 */
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { chooseFollowing, focusRisk, hookRisk, mustSettle } from './attach-risk.ts';
import { ControlClient } from './control-client.ts';
import { listCommands, newMark } from './list-format.ts';
import { parseLists, type ServerList } from './list-parse.ts';
import { untilAborted } from './patience.ts';
import { type Ask, askThrough, type Questions } from './questions.ts';
import { checkSocket } from './socket-safety.ts';

export interface SessionOutputOptions {
  tmuxPath: string;
  uid: number;
  socket: string;
  sessionId: string;
  clock: Clock;
  log: Logger;
  questions: Questions;
  /** Why the server's list is polled, if it is; null also where there is no such server. */
  polled: () => string | null;
  settleMs: number;
  retryMs: number;
}

/** `%output %7 …` and its form with ages. */
const OUTPUT = /^%(?:output|extended-output) (%\d+) /;
/** What changes a screen and is no output: sizes. */
const RESIZED = /^%(?:layout-change|window-pane-changed) /;
const MAX_PREFIX_BYTES = 40;
const JOINING = 'the view has just begun';

export class SessionOutput {
  readonly #options: SessionOutputOptions;
  readonly #printed = new Listeners<[paneId: string | null]>();
  readonly #changed = new Listeners();
  /** Panes of which tmux drops our copies. */
  readonly #held = new Set<string>();
  readonly #watched = new Map<string, number>();
  #client: ControlClient | null = null;
  #apart: string = JOINING;

  constructor(options: SessionOutputOptions) {
    this.#options = options;
  }

  /** null while live, else why not. */
  get apart(): string | null {
    return this.#client === null ? this.#apart : null;
  }

  /** The pane printed, or its size may have changed. After `hold` not before the next `ask`. */
  onPrinted(paneId: string, listener: () => void): Disposable {
    const heard = this.#printed.add((printed) => {
      if (printed === null || printed === paneId) listener();
    });
    this.#watched.set(paneId, (this.#watched.get(paneId) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        heard[Symbol.dispose]();
        const left = (this.#watched.get(paneId) ?? 1) - 1;
        if (left > 0) this.#watched.set(paneId, left);
        else this.#watched.delete(paneId);
      },
    };
  }

  /** `apart` changed. */
  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  /** What the pane prints until the next `ask` is announced once at most, and costs the server nothing. */
  hold(paneId: string): void {
    if (this.#client === null || this.#held.has(paneId)) return;
    this.#held.add(paneId);
    this.#client.command(`refresh-client -A '${paneId}:pause'`, { timeoutMs: 24 * 3_600_000 }).catch(() => undefined);
  }

  /**
   * Asks through the live client; null while apart. With `resumes` it listens again from before the answer on: what
   * comes after that is announced.
   */
  ask(paneId: string, resumes: boolean): Ask | null {
    const client = this.#client;
    if (client === null) return null;
    return async (commands, signal) => {
      if (!resumes || !this.#held.delete(paneId)) return askThrough(client, commands, signal);
      const resumed = ['refresh-client', '-A', `${paneId}:continue`];
      const lines = await askThrough(client, [resumed, ...commands], signal);
      // tmux says so inside the reply (seen on 3.3a).
      return lines[0]?.toString('latin1') === `%continue ${paneId}` ? lines.slice(1) : lines;
    };
  }

  /** Ends when the signal aborts and no client is left. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const refusal = await this.#refusal(signal).catch((error: Error) => error.message);
      if (signal.aborted) return;
      if (refusal === null) await this.#live(signal);
      else this.#tell(refusal);
      await sleep(this.#options.retryMs, signal);
    }
  }

  /** Ends a client that answers nothing though its server answers others. */
  async end(why: string): Promise<void> {
    this.#options.log.warn({ socket: this.#options.socket, session: this.#options.sessionId, why }, 'client ended');
    this.#apart = why;
    await this.#client?.close();
  }

  /** Why no client may join this session; null: it may, and nothing has changed for a while where that matters. */
  async #refusal(signal: AbortSignal): Promise<string | null> {
    const { sessionId, settleMs, polled } = this.#options;
    let settled = '';
    while (!signal.aborted) {
      const told = polled();
      if (told !== null) return told;
      const list = await this.#list(signal);
      const session = list.sessions.filter(({ id }) => id === sessionId);
      const choice = chooseFollowing(session, list.traits);
      if ('poll' in choice) return choice.poll;
      const followed = this.#options.questions.followedSession(this.#options.socket);
      const risk = focusRisk(list.traits, followed === sessionId);
      if (risk !== null && followed !== null) return risk;
      if (risk !== null) {
        await sleep(settleMs, signal);
        continue;
      }
      const structure = JSON.stringify(list.sessions.map(({ id, name, group, paneIds }) => [id, name, group, paneIds]));
      if (!mustSettle(list.traits) || structure === settled) break;
      settled = structure;
      await sleep(settleMs, signal);
    }
    const hooks = await this.#ask(
      [
        ['show-hooks', '-g'],
        ['show-hooks', '-t', sessionId],
      ],
      signal,
    );
    return hookRisk(hooks.join('\n'));
  }

  async #list(signal: AbortSignal): Promise<ServerList> {
    const mark = newMark();
    const lines = await this.#ask(listCommands(mark), signal);
    return parseLists(lines.map((line) => line.toString('utf8')).join('\n'), mark, this.#options.clock.nowMs());
  }

  #ask(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<Buffer[]> {
    return this.#options.questions.ask(this.#options.socket, commands, signal);
  }

  async #live(signal: AbortSignal): Promise<void> {
    const { tmuxPath, uid, socket, sessionId, polled } = this.#options;
    const place = checkSocket(socket, uid);
    if (place.verdict !== 'safe') return;
    const client = new ControlClient({ tmuxPath, socket: place.path, sessionId, flags: 'ignore-size' });
    const over = new AbortController();
    void client.closed.then(() => over.abort());
    using _heard = client.onNotification((line) => this.#hear(line));
    client.start();
    try {
      await untilAborted(client.opened, signal);
      if (!signal.aborted) this.#begin(client);
      while (!signal.aborted && !over.signal.aborted && polled() === null)
        await sleep(250, AbortSignal.any([signal, over.signal]));
    } catch {
      // It could not join, and said why as it ended.
    } finally {
      this.#client = null;
      this.#held.clear();
      await client.close();
      const { words } = await client.closed;
      this.#tell(polled() ?? (this.#apart || `its control client ended${words && `: ${words}`}`));
    }
  }

  #begin(client: ControlClient): void {
    this.#client = client;
    this.#apart = '';
    this.#changed.emit();
    this.#printed.emit(null);
  }

  #tell(apart: string): void {
    if (this.#apart === apart) return;
    this.#apart = apart;
    this.#changed.emit();
  }

  #hear(line: Buffer): void {
    const start = line.subarray(0, MAX_PREFIX_BYTES).toString('latin1');
    const paneId = OUTPUT.exec(start)?.[1];
    if (paneId !== undefined) {
      if (this.#held.has(paneId)) return;
      this.#printed.emit(paneId);
      // Nobody watches it: held for good.
      if (!this.#watched.has(paneId)) this.hold(paneId);
    } else if (RESIZED.test(start)) this.#printed.emit(null);
  }
}
