/** Agents whose units fleet wrote and that the roster no longer names: they would come back at every boot, in no row of it. */
import { readdir } from 'node:fs/promises';
import { readFileText } from '../../src/runtime/read-file.ts';
import { isOurUnitText } from '../launch/agent-unit.ts';
import { unitFile, unitsFolder } from '../launch/launch-paths.ts';

const AGENT_UNIT = /^mosaic-agent@(.+)\.service$/;
const LIMITS = { maxBytes: 64 * 1024, followLinks: false } as const;

/** Sorted by name. A folder that cannot be listed holds none that could be told. */
export const orphansOf = async (home: string, named: ReadonlySet<string>): Promise<string[]> => {
  const files = await readdir(unitsFolder(home)).catch(() => []);
  const names = files.flatMap((file) => AGENT_UNIT.exec(file)?.[1] ?? []).filter((name) => !named.has(name));
  const ours = await Promise.all(names.map((name) => isOurs(home, name)));
  return names.filter((_, at) => ours[at]).sort();
};

const isOurs = async (home: string, name: string): Promise<boolean> => {
  const file = await readFileText(unitFile(home, name), LIMITS);
  return file.kind === 'text' && isOurUnitText(file.text);
};
