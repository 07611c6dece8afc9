/**
 * The verbs of a systemd manager that this program needs, over a bus. Lists and properties come as they are; only
 * `queue`, `resetFailed`, `reload` and those of unit files change anything.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Bus } from './bus.ts';

const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER_PATH = '/org/freedesktop/systemd1';
export const MANAGER = `${SYSTEMD}.Manager`;
export const PROPERTIES = 'org.freedesktop.DBus.Properties';

export type UnitVerb = 'start' | 'stop' | 'restart';
const METHODS: Readonly<Record<UnitVerb, string>> = { start: 'StartUnit', stop: 'StopUnit', restart: 'RestartUnit' };

export interface ListedUnit {
  name: string;
  loadState: string;
  activeState: string;
  subState: string;
  /** D-Bus object of the loaded unit. */
  path: string;
}

export interface ListedFile {
  path: string;
  state: string;
}

export class Manager {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** From now on signals come, also when the manager itself comes or goes. systemd sends none before `Subscribe`. */
  async subscribe(): Promise<void> {
    const from = `type='signal',sender='${SYSTEMD}'`;
    await Promise.all([
      this.#bus.addMatch(`${from},interface='${MANAGER}',path='${MANAGER_PATH}'`),
      this.#bus.addMatch(`${from},interface='${PROPERTIES}',member='PropertiesChanged',path_namespace='${UNIT_PATH}'`),
      this.#bus.addMatch(
        `type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${SYSTEMD}'`,
      ),
    ]);
    await this.#call('Subscribe');
  }

  /** Loaded units whose names match one of the shell patterns. */
  async listUnits(patterns: readonly string[]): Promise<ListedUnit[]> {
    const [rows] = await this.#call('ListUnitsByPatterns', 'asas', [[], [...patterns]]);
    return (rows as string[][]).map(([name, , loadState, activeState, subState, , path]) => ({
      name: name!,
      loadState: loadState!,
      activeState: activeState!,
      subState: subState!,
      path: path!,
    }));
  }

  /** Unit files on disk, loaded or not, by unit name. */
  async listFiles(patterns: readonly string[]): Promise<Map<string, ListedFile>> {
    const [rows] = await this.#call('ListUnitFilesByPatterns', 'asas', [[], [...patterns]]);
    return new Map(
      (rows as string[][]).map(([path, state]) => [
        path!.slice(path!.lastIndexOf('/') + 1),
        { path: path!, state: state! },
      ]),
    );
  }

  /**
   * Read from disk at each call; the unit's own UnitFileState is cached until a reload. Null: no such file.
   */
  async fileState(name: string): Promise<string | null> {
    try {
      const [state] = await this.#call('GetUnitFileState', 's', [name]);
      return typeof state === 'string' && state !== '' ? state : null;
    } catch (error) {
      // A name that systemd refuses (bad characters, masked away) has no file either; a lost bus is an error.
      if (this.#bus.closed.aborted || !(error instanceof FleetError)) throw error;
      return null;
    }
  }

  /** Path of its object, read from disk where it is not loaded; also for a name without a file. */
  async loadUnit(name: string): Promise<string> {
    const [path] = await this.#call('LoadUnit', 's', [name]);
    return path as string;
  }

  /** Pids of all that runs in its cgroup, by systemd's own account; empty where nothing does. */
  async processesOf(name: string): Promise<number[]> {
    try {
      const [rows] = await this.#call('GetUnitProcesses', 's', [name]);
      return (rows as [cgroup: string, pid: number, command: string][]).map(([, pid]) => pid);
    } catch (error) {
      if (this.#bus.closed.aborted || !(error instanceof FleetError)) throw error;
      return [];
    }
  }

  /** Path of the job. What it replaces is taken from the queue (mode `replace`, as systemctl does it). */
  async queue(verb: UnitVerb, name: string): Promise<string> {
    const [job] = await this.#call(METHODS[verb], 'ss', [name, 'replace']);
    return job as string;
  }

  /** Forgets that it failed, and how often it was started lately. One that did not fail is left as it is. */
  async resetFailed(name: string): Promise<void> {
    await this.#call('ResetFailedUnit', 's', [name]);
  }

  /** Reads all unit files from disk anew; what runs goes on. */
  async reload(): Promise<void> {
    await this.#call('Reload');
  }

  /** For this and every later boot, as `systemctl enable` does it; the links are on disk when it resolves. */
  async enableUnitFiles(names: readonly string[]): Promise<void> {
    await this.#call('EnableUnitFiles', 'asbb', [[...names], false, false]);
  }

  async disableUnitFiles(names: readonly string[]): Promise<void> {
    await this.#call('DisableUnitFiles', 'asb', [[...names], false]);
  }

  /** A property of the manager itself; null where it has none of that name. */
  async own(name: string): Promise<unknown> {
    const call = { destination: SYSTEMD, path: MANAGER_PATH, interface: PROPERTIES, member: 'Get', signature: 'ss' };
    const [value] = await this.#bus.call({ ...call, body: [MANAGER, name] });
    return value ?? null;
  }

  /** Null where this unit has no such property, or is gone. */
  async property(unitPath: string, kind: 'Unit' | 'Service', name: string): Promise<unknown> {
    const call = { destination: SYSTEMD, path: unitPath, interface: PROPERTIES, member: 'Get', signature: 'ss' };
    try {
      const [value] = await this.#bus.call({ ...call, body: [`${SYSTEMD}.${kind}`, name] });
      return value ?? null;
    } catch (error) {
      if (this.#bus.closed.aborted) throw error;
      return null;
    }
  }

  #call(member: string, signature = '', body: unknown[] = []): Promise<unknown[]> {
    return this.#bus.call({ destination: SYSTEMD, path: MANAGER_PATH, interface: MANAGER, member, signature, body });
  }
}

const UNIT_PATH = `${MANAGER_PATH}/unit`;

/** `/org/freedesktop/systemd1/unit/a_2db_2eservice` is `a-b.service`; null for other objects. */
export const unitOfPath = (path: string): string | null => {
  if (!path.startsWith(`${UNIT_PATH}/`)) return null;
  const label = path.slice(UNIT_PATH.length + 1);
  const bytes: number[] = [];
  for (let at = 0; at < label.length; at += 1) {
    if (label[at] !== '_') bytes.push(label.charCodeAt(at));
    else {
      const code = Number.parseInt(label.slice(at + 1, at + 3), 16);
      if (Number.isNaN(code)) return null;
      bytes.push(code);
      at += 2;
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
};
