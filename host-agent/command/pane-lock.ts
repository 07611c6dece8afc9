/**
 * One sender at a time for each pane, across all host-agents of this user, in the order in which they came: Lamport's
 * bakery, with a file for each ticket. Its name says which process, so that what a killed one left counts for nothing and
 * may be removed by anybody, and it says whose turn it is: no name is ever used twice.
 */
import { createHash, randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanText } from '../../src/domain/clean-text.ts';
import { FleetError } from '../../src/domain/errors.ts';
import { processStartTicks } from '../../src/runtime/process-start.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { ownFolder } from '../../src/runtime/socket-claim.ts';

/** One life of a pane. */
export interface LockedPane {
  socket: string;
  paneId: string;
  panePid: number;
}

const POLL_MS = 20;
const MAX_OWNER = 256;
const TICKET = /^(choosing|ticket-(\d+))-(\d+)-(\d+)-(\d+)$/;

interface Entry {
  name: string;
  /** null: it has not drawn yet. */
  number: number | null;
  owner: string;
}

/** Its turn did not come in time. */
export class PaneBusy extends FleetError {
  /** Who has the turn, as they called themselves; empty where they did not say, or left just now. */
  readonly holder: string;

  constructor(holder = '') {
    const who = holder || 'an order, or a takeover by way of another host-agent,';
    super('FAILED_PRECONDITION', `busy: ${who} types into this pane; try again`);
    this.name = 'PaneBusy';
    this.holder = holder;
  }
}

export class PaneLocks {
  readonly #folder: string;
  readonly #process = `${process.pid}-${processStartTicks(process.pid) ?? 0}`;
  /** From anywhere: others in this process count, too. */
  #count = randomInt(2 ** 40);

  /** `folder` is the same for all host-agents of this user. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Dispose to let the next one in. Rejects with PaneBusy when the signal aborts before its turn. `who` is told to those
   * who wait in vain: an order and its caller, never a text.
   */
  async take(pane: LockedPane, signal: AbortSignal, who = ''): Promise<Disposable> {
    ownFolder(this.#folder);
    const folder = join(this.#folder, nameOf(pane));
    this.#count += 1;
    const owner = `${this.#process}-${this.#count}`;
    const ticket = drawTicket(folder, owner, who);
    const leave = () => {
      rmSync(join(folder, ticket.name), { force: true });
      removeIfEmpty(folder);
    };
    try {
      while (!isFirst(folder, ticket)) {
        if (signal.aborted) throw new PaneBusy(holderOf(folder, ticket));
        await sleep(POLL_MS, signal);
      }
    } catch (error) {
      leave();
      throw error;
    }
    return { [Symbol.dispose]: leave };
  }
}

const nameOf = ({ socket, paneId, panePid }: LockedPane): string =>
  createHash('sha256').update(`${socket}\0${paneId}\0${panePid}`).digest('hex').slice(0, 32);

/** Synchronous: nobody waits for a ticket that is being drawn longer than the process takes for it. */
const drawTicket = (folder: string, owner: string, who: string): Entry => {
  const choosing = join(folder, `choosing-${owner}`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(choosing, '', { flag: 'wx', mode: 0o600 });
      break;
    } catch (error) {
      // The one before left and took the empty folder along.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt >= 100) throw error;
    }
  }
  try {
    const number = Math.max(0, ...entriesOf(folder).map((entry) => entry.number ?? 0)) + 1;
    const name = `ticket-${number}-${owner}`;
    writeFileSync(join(folder, name), cleanText(who).slice(0, MAX_OWNER), { flag: 'wx', mode: 0o600 });
    return { name, number, owner };
  } finally {
    rmSync(choosing, { force: true });
  }
};

/**
 * Two looks, as the bakery asks: one at who is drawing, a fresh one at what was drawn. Whoever is missing in the first
 * has a ticket in the second, or will draw a higher number.
 */
const isFirst = (folder: string, mine: Entry): boolean => {
  if (livingOf(folder).some(({ number, owner }) => number === null && owner !== mine.owner)) return false;
  return !livingOf(folder).some(
    (other) => other.number !== null && other.owner !== mine.owner && isBefore(other, mine),
  );
};

/** Whose turn it is; a ticket that is not written yet, or gone by now, says nothing. */
const holderOf = (folder: string, mine: Entry): string => {
  const first = livingOf(folder)
    .filter((other) => other.number !== null && other.owner !== mine.owner && isBefore(other, mine))
    .reduce<Entry | null>((best, other) => (best === null || isBefore(other, best) ? other : best), null);
  if (first === null) return '';
  try {
    return cleanText(readFileSync(join(folder, first.name), 'utf8').slice(0, MAX_OWNER));
  } catch {
    return '';
  }
};

const isBefore = (a: Entry, b: Entry): boolean =>
  (a.number as number) < (b.number as number) || (a.number === b.number && a.owner < b.owner);

const entriesOf = (folder: string): Entry[] =>
  readdirSync(folder).flatMap((name) => {
    const match = TICKET.exec(name);
    if (match === null) return [];
    const [, kind, number, pid, ticks, count] = match;
    return [{ name, number: kind === 'choosing' ? null : Number(number), owner: `${pid}-${ticks}-${count}` }];
  });

/** Removes what the dead left. */
const livingOf = (folder: string): Entry[] =>
  entriesOf(folder).filter(({ name, owner }) => {
    const [pid, ticks] = owner.split('-');
    if (processStartTicks(Number(pid)) === ticks) return true;
    rmSync(join(folder, name), { force: true });
    return false;
  });

const removeIfEmpty = (folder: string): void => {
  try {
    rmdirSync(folder);
  } catch {
    // Others wait in it.
  }
};
