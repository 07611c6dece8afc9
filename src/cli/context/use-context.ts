import { rm } from 'node:fs/promises';
import type { Paths } from '../../runtime/paths.ts';
import { writeWhole } from '../../runtime/write-whole.ts';
import { currentContextFile } from '../client/contexts.ts';

/** From now on; null: the daemons of this machine. */
export const useContext = (paths: Paths, name: string | null): Promise<void> =>
  name === null
    ? rm(currentContextFile(paths), { force: true })
    : writeWhole(currentContextFile(paths), `${name}\n`, 0o600);
