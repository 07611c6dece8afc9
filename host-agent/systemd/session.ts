/**
 * One life with a user manager, from connecting until the bus is lost. Comes in: signals, which say where to
 * look. Goes out: the whole set of readings after each change. Never outlives its bus.
 */

import { HOLDER_UNIT } from '../../src/domain/holder.ts';
import { agentOfUnit, agentUnit } from '../../src/domain/unit-name.ts';
import { every } from '../../src/runtime/every.ts';
import { Pump } from '../../src/runtime/pump.ts';
import type { UnitReading } from '../inventory/source.ts';
import { Bus, type BusSignal } from './bus.ts';
import { MANAGER, Manager, PROPERTIES, unitOfPath } from './manager.ts';
import { readMatching, readNamed } from './read-units.ts';

/** The fleet's own units, whoever lists them. */
const FLEET_PATTERNS = [agentUnit('*'), HOLDER_UNIT] as const;
const isFleetUnit = (name: string): boolean => agentOfUnit(name) !== null || name === HOLDER_UNIT;

export interface SessionOptions {
  busPath: string;
  rescanMs: number;
  /** Names beside the fleet's own; asked at each full look. */
  wanted: () => ReadonlySet<string>;
  onUnits: (units: Map<string, UnitReading>) => void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #bus: Bus;
  readonly #manager: Manager;
  readonly #pump: Pump;
  #units = new Map<string, UnitReading>();
  /** Units to read again; null: all. */
  #touched: Set<string> | null = null;

  private constructor(options: SessionOptions, bus: Bus) {
    this.#options = options;
    this.#bus = bus;
    this.#manager = new Manager(bus);
    this.#pump = new Pump(
      () => this.#look(),
      (error) => bus.close(error instanceof Error ? error.message : String(error)),
    );
  }

  /** Resolves after the first look; rejects with UNAVAILABLE in words. Aborting the signal closes the bus. */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<Session> {
    const bus = await Bus.open(options.busPath);
    const session = new Session(options, bus);
    const stop = () => bus.close('stopped');
    signal.addEventListener('abort', stop, { once: true });
    bus.closed.addEventListener('abort', () => signal.removeEventListener('abort', stop), { once: true });
    try {
      if (signal.aborted) stop();
      await session.#begin();
    } catch (error) {
      bus.close('the manager could not be followed');
      throw error;
    }
    return session;
  }

  /** Aborted when it is over, with the FleetError that says why. */
  get over(): AbortSignal {
    return this.#bus.closed;
  }

  lookAtAll(): Promise<void> {
    this.#touched = null;
    return this.#pump.request();
  }

  async #begin(): Promise<void> {
    this.#bus.onSignal((signal) => this.#hear(signal));
    await this.#manager.subscribe();
    await this.lookAtAll();
    this.#bus.closed.throwIfAborted();
    void every(this.#options.rescanMs, this.over, () => this.lookAtAll());
  }

  #hear({ path, interface: from, member, body }: BusSignal): void {
    if (from === PROPERTIES) this.#touch(unitOfPath(path));
    else if (from === MANAGER) this.#hearManager(member, body);
    else if (member === 'NameOwnerChanged' && body[0] === 'org.freedesktop.systemd1') this.#hearOwner(body);
  }

  #hearOwner([, before, after]: unknown[]): void {
    if (after === '') this.#bus.close('the user manager left its bus');
    // Its successor has forgotten who subscribed. One that arrives only now is about to be asked.
    else if (before !== '') this.#bus.close('the user manager was replaced');
  }

  #hearManager(member: string, body: unknown[]): void {
    if (member === 'UnitNew' || member === 'UnitRemoved') this.#touch(body[0]);
    else if (member === 'JobRemoved') this.#touch(body[2]);
    else if (member === 'UnitFilesChanged' || (member === 'Reloading' && body[0] === false)) void this.lookAtAll();
  }

  #touch(name: unknown): void {
    if (typeof name !== 'string' || !(isFleetUnit(name) || this.#options.wanted().has(name))) return;
    this.#touched?.add(name);
    void this.#pump.request();
  }

  async #look(): Promise<void> {
    if (this.over.aborted) return;
    const touched = this.#touched;
    this.#touched = new Set();
    if (touched === null) {
      const wanted = [...this.#options.wanted()].filter((name) => !isFleetUnit(name) || !this.#units.has(name));
      this.#units = await readMatching(this.#manager, FLEET_PATTERNS, wanted);
    } else {
      const units = new Map(this.#units);
      const read = await readNamed(this.#manager, [...touched]);
      for (const name of touched) {
        const unit = read.get(name);
        if (unit) units.set(name, unit);
        else units.delete(name);
      }
      this.#units = units;
    }
    if (!this.over.aborted) this.#options.onUnits(this.#units);
  }
}
