/** What may be changed in a roster, and what its plain values are then: the measure of every way to write it. */
import { camelCase } from '../keys.ts';

export type KeyValue = string | number | boolean | Readonly<Record<string, string>>;

/** Keys in the roster's own spelling; a variable of `env` is `['env', NAME]`. */
export type KeyPath = readonly [string] | readonly [string, string];

export interface KeyChange {
  path: KeyPath;
  /** null takes the key away. */
  value: KeyValue | null;
}

export type NewEntry = Readonly<Record<string, KeyValue>>;

/** Agents are named by their position in `agents`: one name may stand for several hosts. */
export interface RosterChanges {
  remove?: ReadonlySet<number>;
  change?: ReadonlyMap<number, readonly KeyChange[]>;
  add?: readonly NewEntry[];
  /** Makes it a roster of version 2. */
  version2?: boolean;
  defaults?: readonly KeyChange[];
}

export type Values = Record<string, unknown>;

/** The key as this map spells it; its own spelling where it is not there. */
const spelledIn = (map: Values, key: string): string => {
  const twin = camelCase(key);
  return !Object.hasOwn(map, key) && Object.hasOwn(map, twin) ? twin : key;
};

/** In place. An empty map that is left over goes, too. */
const changeKeys = (map: Values, changes: readonly KeyChange[]): void => {
  for (const { path, value } of changes) {
    const [key, variable] = path;
    const name = spelledIn(map, key);
    if (variable === undefined) {
      if (value === null) delete map[name];
      else map[name] = value;
      continue;
    }
    const inner = { ...(map[name] as Values | undefined) };
    if (value === null) delete inner[variable];
    else inner[variable] = value;
    if (Object.keys(inner).length > 0) map[name] = inner;
    else delete map[name];
  }
};

/** In place, of a whole roster. */
export const changeRoster = (roster: Values, changes: RosterChanges): void => {
  const agents = (roster.agents ?? []) as Values[];
  for (const [index, keys] of changes.change ?? []) changeKeys(agents[index] as Values, keys);
  roster.agents = [...agents.filter((_, index) => !changes.remove?.has(index)), ...(changes.add ?? [])];
  if (changes.version2) roster.version = 2;
  if (changes.defaults === undefined) return;
  const defaults = { ...(roster.defaults as Values | undefined) };
  changeKeys(defaults, changes.defaults);
  roster.defaults = defaults;
};
