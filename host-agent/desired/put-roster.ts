/**
 * Replaces this host's roster by another text, whole or not at all, and only the one that its sender saw. The host's own
 * file of a moment ago is never lost: where it is replaced unseen it is kept beside the new one.
 */
import { copyFile, realpath, stat } from 'node:fs/promises';
import { cleanText } from '../../src/domain/clean-text.ts';
import { rosterDigest } from '../../src/roster/digest.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { findRoster } from '../../src/roster/roster-file.ts';
import { writeWhole } from '../../src/runtime/write-whole.ts';
import type { PutRosterRequest } from '../../src/wire/gen/fleet/v1/roster.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRecord } from '../command/order-record.ts';
import type { OrderRun } from '../command/order-run.ts';
import { beforeName } from './agent-files.ts';
import { MAX_ROSTER_BYTES } from './get-roster.ts';

const NEW_FILE_MODE = 0o600;

export interface RosterFileOptions {
  mosaicHome: string;
  /** Wall clock. */
  nowMs: () => number;
  /** Whoever goes by it reads it anew; resolves when that is done. */
  written: () => Promise<void>;
}

/** How it ended, by word or by throwing OrderEnd. Two at once come one after the other. */
export class RosterFile {
  readonly #options: RosterFileOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RosterFileOptions) {
    this.#options = options;
  }

  put(request: PutRosterRequest, run: OrderRun): Promise<OrderEnd> {
    const turn = this.#last.then(() => this.#put(request, run));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  digestOf(text: string): string {
    return rosterDigest(text);
  }

  /** How one ended that was begun by a process that is gone: the text on disk says it, unless it is another again. */
  async lookBack({ rosterDigest: put }: Pick<OrderRecord, 'rosterDigest'>): Promise<OrderEnd> {
    const { path, file } = await findRoster(this.#options.mosaicHome);
    const isThere = file.kind === 'text' && rosterDigest(file.text) === put;
    if (isThere) return new OrderEnd('done', 'the host-agent ended meanwhile');
    const words =
      file.kind === 'unreadable' ? file.words : 'it does not say that: it was not written, or is another since';
    return new OrderEnd('unknown', cleanText(`the host-agent ended meanwhile; ${path}: ${words}`));
  }

  async #put({ text, expectedDigest, force }: PutRosterRequest, run: OrderRun): Promise<OrderEnd> {
    run.signal.throwIfAborted();
    const { path, file } = await findRoster(this.#options.mosaicHome);
    if (file.kind === 'unreadable') throw new OrderEnd('refused', cleanText(`${path}: ${file.words}`));
    const present = file.kind === 'text' ? file.text : null;
    this.#check(text, path);
    if (present === text) return new OrderEnd('done', 'it says so already');
    const isSeen = rosterDigest(present) === expectedDigest;
    if (!isSeen && !force) {
      const words = present === null ? 'is not there any more' : 'is another by now';
      throw new OrderEnd('refused', `${path} ${words}: look at it, or --force keeps it beside the new one`);
    }
    await run.typing();
    const kept = isSeen || present === null ? null : await this.#keep(path);
    await write(path, text);
    await this.#options.written();
    return new OrderEnd('done', kept === null ? '' : `the one before is kept as ${kept}`);
  }

  #check(text: string, path: string): void {
    if (Buffer.byteLength(text) > MAX_ROSTER_BYTES)
      throw new OrderEnd('refused', `a roster of more than ${MAX_ROSTER_BYTES} bytes`);
    const { problem } = parseRoster(text, path);
    if (problem !== null) throw new OrderEnd('refused', cleanText(problem));
    if (path.endsWith('.json') && !isJson(text)) throw new OrderEnd('refused', `${path} holds JSON, and this is none`);
  }

  async #keep(path: string): Promise<string> {
    const kept = beforeName(path, this.#options.nowMs());
    await copyFile(path, kept);
    return kept;
  }
}

/** A link stays a link, and a file keeps its mode. */
const write = async (path: string, text: string): Promise<void> => {
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => NEW_FILE_MODE,
  );
  await writeWhole(target, text, mode);
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
