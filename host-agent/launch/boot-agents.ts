/** Agents whose units come up at boot, as systemd says and as the links say that it follows; changes nothing. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { agentOfUnit } from '../../src/domain/unit-name.ts';
import { unitsFolder } from './launch-paths.ts';

/** Sorted by name. `loaded` are units that systemd holds; one that is not loaded has only its link. */
export const bootAgents = (
  home: string,
  loaded: Iterable<{ name: string; unitFileState: string | null }>,
): string[] => {
  const folder = unitsFolder(home);
  const linked = namesIn(folder)
    .filter((name) => name.endsWith('.wants'))
    .flatMap((name) => namesIn(join(folder, name)));
  const enabled = [...loaded].flatMap(({ name, unitFileState }) => (unitFileState === 'enabled' ? [name] : []));
  return [...new Set([...enabled, ...linked])].flatMap((name) => agentOfUnit(name) ?? []).sort();
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};
