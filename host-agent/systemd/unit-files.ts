/**
 * The files of a user's units as their manager reads them, and whether they come up at boot. Comes in: exact names of units.
 * Never a pattern, never the content of a file.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { Bus } from './bus.ts';
import { Manager } from './manager.ts';

export interface UnitFileNow {
  /** enabled, disabled, static, masked …, read from disk; null: there is no such file. */
  state: string | null;
  /** Where it was loaded from. */
  fragmentPath: string | null;
  /** What is on disk is newer than what was loaded. */
  needsReload: boolean;
  /** Wall clock, when it last came up; null: never since the boot. */
  activeSinceMs: number | null;
}

export class UnitFiles {
  readonly #busPath: string;

  /** D-Bus socket of the user's manager. Every call rejects with UNAVAILABLE where there is no manager to ask. */
  constructor(options: { busPath: string }) {
    this.#busPath = options.busPath;
  }

  async read(name: string): Promise<UnitFileNow> {
    return await this.#with(async (manager) => {
      const path = await manager.loadUnit(name);
      const [state, fragmentPath, needsReload, since] = await Promise.all([
        manager.fileState(name),
        manager.property(path, 'Unit', 'FragmentPath'),
        manager.property(path, 'Unit', 'NeedDaemonReload'),
        manager.property(path, 'Unit', 'ActiveEnterTimestamp'),
      ]);
      return {
        state,
        fragmentPath: typeof fragmentPath === 'string' && fragmentPath !== '' ? fragmentPath : null,
        needsReload: needsReload === true,
        activeSinceMs: typeof since === 'bigint' && since > 0n ? Number(since) / 1_000 : null,
      };
    });
  }

  /** Also of a template, which is no unit that could be loaded. */
  async state(name: string): Promise<string | null> {
    return await this.#with((manager) => manager.fileState(name));
  }

  async reload(): Promise<void> {
    await this.#with((manager) => manager.reload());
  }

  /** Rejects with FAILED_PRECONDITION where systemd refused. */
  async enable(names: readonly string[]): Promise<void> {
    await this.#with((manager, bus) => unlessRefused(bus, manager.enableUnitFiles(names)));
  }

  async disable(names: readonly string[]): Promise<void> {
    await this.#with((manager, bus) => unlessRefused(bus, manager.disableUnitFiles(names)));
  }

  /** Forgets that it failed: one without a file goes with that. */
  async resetFailed(name: string): Promise<void> {
    await this.#with((manager) => manager.resetFailed(name));
  }

  async #with<T>(work: (manager: Manager, bus: Bus) => Promise<T>): Promise<T> {
    const bus = await Bus.open(this.#busPath);
    try {
      return await work(new Manager(bus), bus);
    } finally {
      bus.close();
    }
  }
}

const unlessRefused = async (bus: Bus, call: Promise<void>): Promise<void> => {
  try {
    await call;
  } catch (error) {
    if (bus.closed.aborted || !(error instanceof FleetError)) throw error;
    throw new FleetError('FAILED_PRECONDITION', `systemd refused: ${error.message}`, { cause: error });
  }
};
