/** Which context a command goes by, and where each has its folder. Read at every start, so nothing heavy is loaded here. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';

/** The name under which the daemons of this machine are asked; no context can have it. */
export const THIS_MACHINE = 'local';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const contextsFolder = ({ config }: Paths): string => join(config, 'contexts');
export const contextFolder = (paths: Paths, name: string): string => join(contextsFolder(paths), name);
export const contextFile = (folder: string): string => join(folder, 'context.json');
export const currentContextFile = ({ config }: Paths): string => join(config, 'current-context');

/** INVALID_ARGUMENT for what cannot be a folder's name. */
export const checkContextName = (name: string): string => {
  if (NAME.test(name)) return name;
  throw new FleetError(
    'INVALID_ARGUMENT',
    `context ${JSON.stringify(name)}: 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit`,
  );
};

export const isContext = (paths: Paths, name: string): boolean => existsSync(contextFile(contextFolder(paths, name)));

/** What `fleet context use` chose; null where nothing was, or this machine. */
export const currentContext = (paths: Paths): string | null => {
  try {
    const name = readFileSync(currentContextFile(paths), 'utf8').trim();
    return name === '' || name === THIS_MACHINE ? null : name;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};

export interface ChosenContext {
  /** null: this machine. */
  name: string | null;
  /** For messages. */
  by: '--context' | 'FLEET_CONTEXT' | 'fleet context use';
}

/** Flag before environment before what is in use. INVALID_ARGUMENT for one that is not there. */
export const chooseContext = (paths: Paths, flag: string | null, env: NodeJS.ProcessEnv): ChosenContext => {
  const given = flag ?? (env.FLEET_CONTEXT || null);
  const by = flag !== null ? '--context' : given !== null ? 'FLEET_CONTEXT' : 'fleet context use';
  const name = given ?? currentContext(paths);
  if (name === null || name === THIS_MACHINE) return { name: null, by };
  if (isContext(paths, checkContextName(name))) return { name, by };
  const mend = 'fleet context ls lists them, fleet login makes one, fleet context use local goes back to this machine';
  throw new FleetError('INVALID_ARGUMENT', `no context ${name} (${by}): ${mend}`);
};
