/** Agents whose units fleet wrote and that the roster no longer names: they would come back at every boot, in no row of it. */
import { readdir } from 'node:fs/promises';
import { agentOfUnit } from '../../src/domain/unit-name.ts';
import { unitsFolder } from '../launch/launch-paths.ts';
import { isOurUnit } from '../launch/our-units.ts';

/** Sorted by name. A folder that cannot be listed holds none that could be told. */
export const orphansOf = async (home: string, named: ReadonlySet<string>): Promise<string[]> => {
  const files = await readdir(unitsFolder(home)).catch(() => []);
  const names = files.flatMap((file) => agentOfUnit(file) ?? []).filter((name) => !named.has(name));
  const ours = await Promise.all(names.map((name) => isOurUnit(home, name)));
  return names.filter((_, at) => ours[at]).sort();
};
