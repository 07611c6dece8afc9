/**
 * The size of one pane's window, lent to a takeover and given back exactly: its columns and rows, and its own
 * `window-size` option, which resize-window sets to manual. What is lent is on disk first, so that it is given back
 * even after a host-agent that was killed.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { runClient } from '../tmux/client-process.ts';
import { checkSocket } from '../tmux/socket-safety.ts';
import type { LentSize, LentSizes } from './lent-sizes.ts';

export interface PaneSizeOptions {
  tmuxPath: string;
  uid: number;
  lent: LentSizes;
  log: Logger;
}

export interface Size {
  width: number;
  height: number;
}

const ANSWER_MS = 5_000;
const MAX_OUTPUT_BYTES = 1 << 20;
/** tmux's own WINDOW_MAXIMUM; a program draws nothing useful in less than the least. */
const LEAST: Size = { width: 20, height: 5 };
const MOST: Size = { width: 1_000, height: 1_000 };

export class PaneSizes {
  readonly #options: PaneSizeOptions;

  constructor(options: PaneSizeOptions) {
    this.#options = options;
  }

  /**
   * Gives the pane this size until `giveBack`. Throws INVALID_ARGUMENT for a size out of bounds, FAILED_PRECONDITION
   * where it would disturb somebody: other panes share the window, or a client with a size of its own shows it.
   */
  async lend(pane: { socket: string; paneId: string }, size: Size): Promise<LentSize> {
    if (!isWithin(size)) {
      const bounds = `${LEAST.width}x${LEAST.height} to ${MOST.width}x${MOST.height}`;
      throw new FleetError('INVALID_ARGUMENT', `--resize: ${size.width}x${size.height} is not within ${bounds}`);
    }
    const before = await this.#read(pane);
    if (before.panes !== 1) {
      const words = `--resize: ${before.panes} panes share its window, and would be resized too: attach without it`;
      throw new FleetError('FAILED_PRECONDITION', words);
    }
    await this.#refuseIfShown(pane.socket, pane.paneId);
    // A border with the pane's status takes lines of the window.
    const lentSize = { width: size.width, height: size.height + before.lent.height - before.paneHeight };
    const lent: LentSize = { ...before.lent, lentWidth: lentSize.width, lentHeight: lentSize.height };
    await this.#options.lent.keep(lent);
    try {
      await this.#resize(lent, lentSize);
    } catch (error) {
      await this.giveBack(lent);
      throw error;
    }
    return lent;
  }

  /** Resolves when it is as it was, or its window is gone; says in the log where that failed, and keeps the record. */
  async giveBack(lent: LentSize): Promise<void> {
    try {
      const now = await this.#windowOf(lent);
      if (now !== null) {
        // A size that somebody gave it meanwhile is theirs.
        if (now.width === lent.lentWidth && now.height === lent.lentHeight) await this.#resize(lent, lent);
        const option = [
          'set-option',
          '-w',
          ...(lent.windowSize === '' ? ['-u'] : []),
          '-t',
          lent.windowId,
          'window-size',
        ];
        await this.#ask(lent.socket, [...option, ...(lent.windowSize === '' ? [] : [lent.windowSize])]);
      }
      await this.#options.lent.forget(lent);
    } catch (error) {
      if (isGone(error)) await this.#options.lent.forget(lent);
      else this.#options.log.warn({ err: error, pane: lent.paneId }, 'size of a pane could not be given back');
    }
  }

  /** What a host-agent that was killed had lent. */
  async giveBackAll(): Promise<void> {
    for (const lent of await this.#options.lent.all()) await this.giveBack(lent);
  }

  async #read({ socket, paneId }: { socket: string; paneId: string }) {
    const format = '#{pid},#{start_time},#{window_id},#{window_panes},#{window_width},#{window_height},#{pane_height}';
    const facts = (await this.#ask(socket, ['display-message', '-p', '-t', paneId, format])).trim().split(',');
    const [serverPid, serverStart, windowId, panes, width, height, paneHeight] = facts;
    const windowSize = (await this.#ask(socket, ['show-options', '-w', '-v', '-t', paneId, 'window-size'])).trim();
    const server = { serverPid: Number(serverPid), serverStart: Number(serverStart) };
    const size = { width: Number(width), height: Number(height), lentWidth: 0, lentHeight: 0 };
    const lent: LentSize = { socket, ...server, paneId, windowId: windowId ?? '', windowSize, ...size };
    return { panes: Number(panes), paneHeight: Number(paneHeight), lent };
  }

  /** Size of the window now; null when the server is another one, whose ids mean something else. */
  async #windowOf(lent: LentSize): Promise<Size | null> {
    const format = '#{pid},#{start_time},#{window_width},#{window_height}';
    const answer = await this.#ask(lent.socket, ['display-message', '-p', '-t', lent.paneId, format]);
    const [pid, start, width, height] = answer.trim().split(',').map(Number);
    if (pid !== lent.serverPid || start !== lent.serverStart) return null;
    return { width: width as number, height: height as number };
  }

  async #refuseIfShown(socket: string, paneId: string): Promise<void> {
    const panes = await this.#ask(socket, ['list-panes', '-a', '-F', '#{pane_id},#{session_id}']);
    const sessions = linesOf(panes).flatMap((line) => (line.startsWith(`${paneId},`) ? [line.split(',')[1]] : []));
    const clients = await this.#ask(socket, ['list-clients', '-F', '#{session_id},#{client_flags}']);
    // A control client without a size has ignore-size, as ours have; so has `attach -r`, which only looks.
    const sizing = linesOf(clients).filter((line) => {
      const [session, ...flags] = line.split(',');
      return sessions.includes(session) && !flags.includes('ignore-size');
    });
    if (sizing.length === 0) return;
    const words = '--resize: somebody is attached to it with a terminal of their own, whose size it follows';
    throw new FleetError('FAILED_PRECONDITION', `${words}: attach without it`);
  }

  async #resize({ socket, paneId }: LentSize, { width, height }: Size): Promise<void> {
    await this.#ask(socket, ['resize-window', '-t', paneId, '-x', String(width), '-y', String(height)]);
  }

  async #ask(socket: string, args: readonly string[]): Promise<string> {
    const { tmuxPath, uid } = this.#options;
    const verdict = checkSocket(socket, uid);
    if (verdict.verdict === 'gone') throw new FleetError('NOT_FOUND', `gone: no tmux server at ${socket}`);
    if (verdict.verdict === 'unsafe') throw new FleetError('FAILED_PRECONDITION', `unsafe socket: ${verdict.words}`);
    const late = AbortSignal.timeout(ANSWER_MS);
    const client = { tmuxPath, socket: verdict.path, args, maxBytes: MAX_OUTPUT_BYTES };
    const { end, stdout, stderr } = await runClient(client, late);
    if ('exitCode' in end && end.exitCode === 0) return stdout.toString('utf8');
    const words = late.aborted ? `no answer within ${ANSWER_MS} ms` : (stderr.trim().split('\n')[0] ?? 'no word');
    if (GONE.test(words)) throw new FleetError('NOT_FOUND', `gone: ${words}`);
    throw new FleetError('UNAVAILABLE', `tmux at ${socket} refused ${args[0]}: ${words}`);
  }
}

const GONE = /can't find (pane|window|session)|no server running|error connecting|server exited|lost server/;

const isGone = (error: unknown): boolean => error instanceof FleetError && error.code === 'NOT_FOUND';

const isWithin = ({ width, height }: Size): boolean =>
  width >= LEAST.width && height >= LEAST.height && width <= MOST.width && height <= MOST.height;

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');
