/**
 * Heads of the controller's audit, as its beats told them: kept here so that a chain which is written anew there is found.
 * One line a head in a file of mode 0600; the newest, and of older ones one a minute, 1,000 in all.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { writePrivateFile } from '../../src/identity/private-file.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { AuditHead } from '../../src/wire/gen/fleet/v1/audit.ts';

export interface KeptHeadsOptions {
  path: string;
  log: Logger;
  /** Wall clock. */
  nowMs: () => number;
  keep?: number;
}

const KEEP = 1_000;
/** A busy chain has another head at each beat: kept like that they would reach back for half an hour. */
const SPACING_MS = 60_000;
const HASH = /^[0-9a-f]{64}$/;

export class KeptHeads {
  readonly #options: KeptHeadsOptions;
  readonly #keep: number;
  /** Oldest first. */
  #heads: AuditHead[] = [];
  #lines = 0;
  #file: FileHandle | null = null;
  /** Writes one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: KeptHeadsOptions) {
    this.#options = options;
    this.#keep = options.keep ?? KEEP;
  }

  /** What can be read of the file; a line that was torn or is none of ours is left out. */
  async start(): Promise<void> {
    const text = await readFile(this.#options.path, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const head = parseHead(line);
      if (head !== null) this.#take(head);
    }
    await this.#write(() => this.#rewrite());
  }

  async stop(): Promise<void> {
    await this.#last;
    await this.#file?.close();
    this.#file = null;
  }

  heads(): readonly AuditHead[] {
    return this.#heads;
  }

  /** As a beat told it. Never throws: what cannot be written is kept in memory. */
  told(sequence: bigint, hash: string): void {
    if (sequence === 0n || !HASH.test(hash)) return;
    const newest = this.#heads.at(-1);
    if (newest?.sequence === sequence && newest.hash === hash) return;
    const head = { sequence, hash, heardMs: this.#options.nowMs() };
    this.#take(head);
    void this.#write(async () => {
      if (this.#lines >= 2 * this.#keep) await this.#rewrite();
      else await this.#append(head);
    });
  }

  /** Those of a cell that this host has left say nothing of the one that it joins. */
  forget(): void {
    this.#heads = [];
    void this.#write(() => this.#rewrite());
  }

  /** The newest one stays only if none of the minute before it does. */
  #take(head: AuditHead): void {
    const [before, newest] = this.#heads.slice(-2);
    if (before && newest && newest.heardMs - before.heardMs < SPACING_MS) this.#heads.pop();
    this.#heads.push(head);
    if (this.#heads.length > this.#keep) this.#heads.shift();
  }

  #write(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work).catch((err: unknown) => {
      this.#options.log.error({ err }, 'heads of the audit cannot be kept');
    });
    return this.#last;
  }

  async #append(head: AuditHead): Promise<void> {
    await this.#file?.appendFile(formatHead(head));
    this.#lines += 1;
  }

  async #rewrite(): Promise<void> {
    const { path } = this.#options;
    const heads = [...this.#heads];
    await writePrivateFile(path, heads.map(formatHead).join(''));
    const before = this.#file;
    this.#file = await open(path, 'a', 0o600);
    await before?.close();
    this.#lines = heads.length;
  }
}

const formatHead = ({ sequence, hash, heardMs }: AuditHead): string => `${sequence} ${hash} ${heardMs}\n`;

const parseHead = (line: string): AuditHead | null => {
  const match = /^(\d{1,19}) ([0-9a-f]{64}) (\d{1,16})$/.exec(line);
  return match === null
    ? null
    : { sequence: BigInt(match[1] as string), hash: match[2] as string, heardMs: Number(match[3]) };
};
