/**
 * Comes in: a user's systemd manager over its own bus, and logind's linger mark. Goes out: the units of the
 * fleet, or why there is nobody to ask. Never crashes with the bus, never stops trying, never changes a unit.
 */
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { aborted } from '../../src/runtime/aborted.ts';
import { backoffDelayMs } from '../../src/runtime/backoff.ts';
import { FolderWatch } from '../../src/runtime/folder-watch.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { Source, SystemdReading } from '../inventory/source.ts';
import { Doorbell } from './doorbell.ts';
import { Linger } from './linger.ts';
import { killUserProcesses, SYSTEM_BUS } from './logind.ts';
import { Session } from './session.ts';

export interface SystemdSourceOptions {
  uid?: number;
  user?: string;
  /** Default `/run/user/UID/bus`, whatever the environment says. */
  busPath?: string;
  /** logind's bus. */
  systemBusPath?: string;
  lingerFolder?: string;
  /** Where this user's unit files are; edits there come with no signal until a reload. */
  unitFolder?: string;
  rescanMs?: number;
}

/** Its answer changes by an administrator and a restart of logind, if ever. */
const LOGIND_EVERY_ROUNDS = 20;

/** An installer writes several files; one look afterwards is enough. */
const UNIT_FILES_SETTLE_MS = 100;

/** A connection that ended sooner is tried again with a pause. */
const QUICK_RETRY_AFTER_MS = 1_000;

export class SystemdSource implements Source<SystemdReading> {
  readonly #busPath: string;
  readonly #systemBusPath: string;
  readonly #rescanMs: number;
  readonly #linger: Linger;
  readonly #unitFolders: FolderWatch[];
  readonly #listeners = new Listeners();
  #wanted: ReadonlySet<string> = new Set();
  #session: Session | null = null;
  #reading: SystemdReading = { problem: 'not asked yet', units: new Map(), linger: null, killUserProcesses: null };

  constructor(options: SystemdSourceOptions = {}) {
    const { uid, username } = userInfo();
    this.#busPath = options.busPath ?? `/run/user/${options.uid ?? uid}/bus`;
    this.#systemBusPath = options.systemBusPath ?? SYSTEM_BUS;
    this.#rescanMs = options.rescanMs ?? 30_000;
    this.#linger = new Linger(options.user ?? username, () => this.#publish({}), options.lingerFolder);
    const units = options.unitFolder ?? join(homedir(), '.config/systemd/user');
    this.#unitFolders = [units, join(units, 'default.target.wants')].map(
      (folder) => new FolderWatch(folder, () => void this.#session?.lookAtAll(), UNIT_FILES_SETTLE_MS),
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#linger.start(signal);
    for (const folder of this.#unitFolders) folder.start(signal);
    const firstLook = Promise.withResolvers<void>();
    void this.#follow(signal, firstLook.resolve);
    await Promise.all([firstLook.promise, this.#askLogind()]);
    void this.#rescanLogind(signal);
  }

  current(): SystemdReading {
    return this.#reading;
  }

  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  /** Full names of units beside the fleet's own; replaces those named before, and looks at once. */
  setWanted(names: Iterable<string>): void {
    const wanted = new Set(names);
    if (isDeepStrictEqual(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    void this.#session?.lookAtAll();
  }

  async #follow(signal: AbortSignal, onFirstLook: () => void): Promise<void> {
    const doorbell = new Doorbell(this.#busPath, signal);
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const openedMs = performance.now();
      const { words, lived } = await this.#live(signal, onFirstLook);
      if (signal.aborted) break;
      if (lived) attempt = 0;
      // A manager that executes itself anew is back at once, and its units never went.
      if (lived && performance.now() - openedMs > QUICK_RETRY_AFTER_MS) continue;
      this.#publish({ problem: `no user manager: ${words} (${this.#busPath})`, units: new Map() });
      onFirstLook();
      if (await doorbell.wait(backoffDelayMs(attempt))) attempt = -1;
    }
    onFirstLook();
  }

  /** Until the bus is lost, or could not be followed at all; `words` say why. */
  async #live(signal: AbortSignal, onFirstLook: () => void): Promise<{ words: string; lived: boolean }> {
    const wanted = this.#wanted;
    const onUnits = (units: SystemdReading['units']) => this.#publish({ problem: null, units });
    const options = { busPath: this.#busPath, rescanMs: this.#rescanMs, wanted: () => this.#wanted, onUnits };
    try {
      this.#session = await Session.open(options, signal);
    } catch (error) {
      return { words: error instanceof Error ? error.message : String(error), lived: false };
    }
    const { over } = this.#session;
    if (wanted !== this.#wanted) void this.#session.lookAtAll();
    onFirstLook();
    await aborted(over);
    this.#session = null;
    return { words: over.reason.message, lived: true };
  }

  async #rescanLogind(signal: AbortSignal): Promise<void> {
    for (let round = 1; !signal.aborted; round += 1) {
      for (const folder of this.#unitFolders) folder.rearm();
      this.#publish({});
      await sleep(this.#rescanMs, signal);
      if (!signal.aborted && round % LOGIND_EVERY_ROUNDS === 0) await this.#askLogind();
    }
  }

  async #askLogind(): Promise<void> {
    this.#publish({ killUserProcesses: await killUserProcesses(this.#systemBusPath) });
  }

  #publish(change: Partial<SystemdReading>): void {
    const reading = { ...this.#reading, ...change, linger: this.#linger.read() };
    if (isDeepStrictEqual(reading, this.#reading)) return;
    this.#reading = reading;
    this.#listeners.emit();
  }
}
