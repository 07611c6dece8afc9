/** Whether a program can be run, told before there is anything for it to do. It is not run. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { mayRun } from '../may-run.ts';
import { UsageError } from '../usage-error.ts';

/** As exec finds it: a name with a slash is that file, any other the first of PATH that can be run. Throws UsageError for none. */
export const requireProgram = (flag: string, name: string, env: NodeJS.ProcessEnv): void => {
  const isPath = name.includes('/');
  const places = isPath ? [name] : (env.PATH ?? '').split(':').map((folder) => join(folder || '.', name));
  const files = places.filter(isFile);
  if (files.some(mayRun)) return;
  const [file] = files;
  const why = isPath ? 'there is no such file' : `no ${name} on your PATH`;
  throw new UsageError(`--${flag} ${name}: ${file === undefined ? why : `${file} may not be run: chmod +x ${file}`}`);
};

/** What cannot be looked at is none. */
const isFile = (path: string): boolean => {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
};
