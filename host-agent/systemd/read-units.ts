/**
 * Comes in: names or patterns of units. Goes out: a reading of each that exists, loaded or only on disk. Six
 * properties a unit, since asking for all of them makes systemd read cgroup files.
 */
import type { UnitReading } from '../inventory/source.ts';
import type { ListedUnit, Manager } from './manager.ts';

/** Units read at a time: calls of one batch are on the wire together. */
const BATCH = 32;

const batched = async <T, R>(items: readonly T[], read: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += BATCH)
    results.push(...(await Promise.all(items.slice(at, at + BATCH).map(read))));
  return results;
};

/** The named units; those that neither are loaded nor have a file are left out. */
export const readNamed = async (manager: Manager, names: readonly string[]): Promise<Map<string, UnitReading>> => {
  if (names.length === 0) return new Map();
  const loaded = await readLoaded(manager, names);
  const missing = names.filter((name) => !loaded.has(name));
  const onDisk = await batched(missing, async (name) => onDiskOnly(name, await manager.fileState(name), null));
  return byName([...loaded.values(), ...onDisk.filter((unit) => unit.unitFileState !== null)]);
};

/** Every unit that matches a pattern, and the named ones. Templates are no units. */
export const readMatching = async (
  manager: Manager,
  patterns: readonly string[],
  names: readonly string[],
): Promise<Map<string, UnitReading>> => {
  const [loaded, files, named] = await Promise.all([
    readLoaded(manager, patterns),
    manager.listFiles(patterns),
    readNamed(manager, names),
  ]);
  const onDisk = [...files]
    .filter(([name]) => !name.includes('@.') && !loaded.has(name) && !named.has(name))
    .map(([name, { path, state }]) => onDiskOnly(name, state, path));
  return byName([...loaded.values(), ...onDisk, ...named.values()]);
};

const byName = (units: UnitReading[]) => new Map(units.map((unit) => [unit.name, unit]));

const readLoaded = async (manager: Manager, patterns: readonly string[]): Promise<Map<string, UnitReading>> => {
  const listed = await manager.listUnits(patterns);
  // Another unit only mentions it: there is nothing that could run.
  const real = listed.filter((unit) => unit.loadState !== 'not-found' || unit.activeState !== 'inactive');
  return byName(await batched(real, (unit) => readUnit(manager, unit)));
};

const readUnit = async (manager: Manager, unit: ListedUnit): Promise<UnitReading> => {
  const [unitFileState, since, needsReload, fragmentPath, result, mainPid, restarts] = await Promise.all([
    manager.fileState(unit.name),
    manager.property(unit.path, 'Unit', 'StateChangeTimestamp'),
    manager.property(unit.path, 'Unit', 'NeedDaemonReload'),
    manager.property(unit.path, 'Unit', 'FragmentPath'),
    manager.property(unit.path, 'Service', 'Result'),
    manager.property(unit.path, 'Service', 'MainPID'),
    manager.property(unit.path, 'Service', 'NRestarts'),
  ]);
  return {
    name: unit.name,
    activeState: unit.activeState,
    subState: unit.subState,
    unitFileState,
    result: textOf(result),
    mainPid: numberOf(mainPid) || null,
    restarts: numberOf(restarts),
    sinceMs: millisecondsOf(since),
    needsReload: needsReload === true,
    fragmentPath: textOf(fragmentPath),
  };
};

const onDiskOnly = (name: string, unitFileState: string | null, fragmentPath: string | null): UnitReading => ({
  name,
  activeState: 'inactive',
  subState: 'dead',
  unitFileState,
  result: null,
  mainPid: null,
  restarts: null,
  sinceMs: null,
  needsReload: false,
  fragmentPath,
});

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** From microseconds since the epoch, in 64 bits; zero is never. */
const millisecondsOf = (value: unknown): number | null =>
  typeof value === 'bigint' && value > 0n ? Number(value / 1_000n) : null;
