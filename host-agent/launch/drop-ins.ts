/** Drop-ins of a person's own that systemd adds to an agent's unit, though fleet wrote it: its template's count, too. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { agentUnit } from '../../src/domain/unit-name.ts';
import { unitsFolder } from './launch-paths.ts';

const TEMPLATE_FOLDER = `${agentUnit('')}.d`;
const FOR_EVERYBODY = '/etc/systemd/user';

/** Paths, those of every agent first. */
export const dropInsOf = async (home: string, agent: string): Promise<string[]> => {
  const folders = [TEMPLATE_FOLDER, `${agentUnit(agent)}.d`].flatMap((name) =>
    [FOR_EVERYBODY, unitsFolder(home)].map((parent) => join(parent, name)),
  );
  return (await Promise.all(folders.map(confsIn))).flat();
};

const confsIn = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .map((name) => join(folder, name));
};
