/**
 * In: the tmux servers of one user, found in /proc and in their folder. Out: one reading of them all, changed
 * within milliseconds of a change there. Never: a server started, configured, resized or kept alive by looking.
 */
import { join } from 'node:path';
import type { Clock } from '../../src/runtime/clock.ts';
import { FolderWatch } from '../../src/runtime/folder-watch.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { Wake } from '../../src/runtime/wake.ts';
import type { Source, TmuxReading, TmuxServer } from '../inventory/source.ts';
import type { ControlClient } from './control-client.ts';
import { Discovery, type FoundServer } from './discovery.ts';
import { ServerWatch } from './server-watch.ts';

export interface TmuxSourceOptions {
  /** Folder whose `tmux-UID` holds the sockets. */
  tmuxTmpdir: string;
  /** Only servers below `tmuxTmpdir`. */
  isolated: boolean;
  uid: number;
  clock: Clock;
  log: Logger;
  tmuxPath?: string;
  procRoot?: string;
  /** Between lists of a server that cannot be followed. */
  pollMs?: number;
  /** Without a change before a server older than 3.7 is followed. */
  settleMs?: number;
  /** Between looks for servers that no inotify event announced. */
  rescanMs?: number;
  /** Between lists of a followed server that announces nothing. */
  tickMs?: number;
  /** Between glances at the state of a followed server's process. */
  checkMs?: number;
  /** Until a silent server has the problem `timeout`. */
  answerMs?: number;
}

interface Watched {
  watch: ServerWatch;
  stop: AbortController;
}

/** A new socket file is there before its server listens. */
const UNSETTLED_RETRIES_MS = [20, 50, 100, 250, 500];

const identityOf = ({ socket, pid, startTicks }: FoundServer): string => JSON.stringify([socket, pid, startTicks]);

export class TmuxSource implements Source<TmuxReading> {
  readonly #options: Required<TmuxSourceOptions>;
  readonly #listeners = new Listeners();
  readonly #watched = new Map<string, Watched>();
  readonly #running = new Set<Promise<void>>();
  readonly #wake = new Wake();
  #reading: TmuxReading = { servers: [] };
  #done: Promise<void> = Promise.resolve();

  constructor(options: TmuxSourceOptions) {
    this.#options = {
      tmuxPath: 'tmux',
      procRoot: '/proc',
      pollMs: 2_000,
      settleMs: 500,
      rescanMs: 5_000,
      tickMs: 10_000,
      checkMs: 1_000,
      answerMs: 2_000,
      ...options,
    };
  }

  current(): TmuxReading {
    return this.#reading;
  }

  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  /** The server at that path as it was last read; undefined when there is none. */
  server(socket: string): TmuxServer | undefined {
    return this.#reading.servers.find((server) => server.socket === socket);
  }

  /** The client that follows the server at that path; null where it is polled. */
  follower(socket: string): ControlClient | null {
    for (const { watch } of this.#watched.values()) {
      if (watch.client !== null && watch.current?.socket === socket) return watch.client;
    }
    return null;
  }

  /** Resolves when the loops have ended and no client of ours is left; call after the signal aborted. */
  stopped(): Promise<void> {
    return this.#done;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { tmuxTmpdir, isolated, uid, procRoot } = this.#options;
    const folder = join(tmuxTmpdir, `tmux-${uid}`);
    const discovery = new Discovery({ folder, within: isolated ? tmuxTmpdir : null, uid, procRoot });
    const folderWatch = new FolderWatch(folder, () => this.#wake.poke());
    folderWatch.start(signal);
    await this.#look(discovery, signal);
    const first = [...this.#watched.values()].map(({ watch }) => watch.firstLook);
    this.#done = this.#run(discovery, folderWatch, signal);
    await Promise.race([Promise.all(first), sleep(this.#options.answerMs + 500, signal)]);
  }

  async #run(discovery: Discovery, folderWatch: FolderWatch, signal: AbortSignal): Promise<void> {
    let retries = 0;
    while (!signal.aborted) {
      const { rescanMs } = this.#options;
      const poked = await this.#wake.wait(UNSETTLED_RETRIES_MS[retries] ?? rescanMs, signal);
      if (signal.aborted) break;
      folderWatch.rearm();
      const unsettled = await this.#look(discovery, signal);
      if (poked) retries = unsettled ? 0 : UNSETTLED_RETRIES_MS.length;
      else retries = unsettled ? Math.min(retries + 1, UNSETTLED_RETRIES_MS.length) : UNSETTLED_RETRIES_MS.length;
    }
    await Promise.all(this.#running);
  }

  /** Whether a socket file had nobody listening. */
  async #look(discovery: Discovery, signal: AbortSignal): Promise<boolean> {
    try {
      const { servers, unsettled } = await discovery.look();
      if (!signal.aborted) this.#reconcile(servers, signal);
      return unsettled;
    } catch (error) {
      this.#options.log.warn({ err: error }, 'tmux servers could not be discovered');
      return false;
    }
  }

  #reconcile(servers: FoundServer[], signal: AbortSignal): void {
    const found = new Map(servers.map((server) => [identityOf(server), server]));
    let changed = false;
    for (const [identity, { stop }] of this.#watched) {
      if (found.has(identity)) continue;
      stop.abort();
      this.#watched.delete(identity);
      changed = true;
    }
    for (const [identity, server] of found) {
      const known = this.#watched.get(identity);
      if (known) known.watch.reachable(server.unreachable);
      else this.#begin(identity, server, signal);
    }
    if (changed) this.#refresh();
  }

  #begin(identity: string, found: FoundServer, signal: AbortSignal): void {
    const { uid, tmuxPath, procRoot, clock, log, pollMs, settleMs, tickMs, checkMs, answerMs } = this.#options;
    const stop = new AbortController();
    const watch = new ServerWatch({
      found,
      uid,
      tmuxPath,
      procRoot,
      clock,
      log,
      pollMs,
      settleMs,
      answerMs,
      checkMs,
      tickMs,
      onChange: () => this.#refresh(),
      onGone: () => this.#wake.poke(),
    });
    this.#watched.set(identity, { watch, stop });
    const done = watch.run(AbortSignal.any([signal, stop.signal])).finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  #refresh(): void {
    const servers = [...this.#watched.values()].map(({ watch }) => watch.current).filter((server) => server !== null);
    this.#reading = { servers: servers.sort((a, b) => (a.socket < b.socket ? -1 : a.socket > b.socket ? 1 : 0)) };
    this.#listeners.emit();
  }
}
