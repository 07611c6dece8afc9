/** The small sh programs of a launch, as they are shipped: each launch gets a copy, so that no upgrade takes them away. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const FOLDER =
  basename(import.meta.dirname) === 'lib' ? join(import.meta.dirname, 'launch') : join(import.meta.dirname, 'scripts');

/** Text by file name. */
export const launchScripts = (): Map<string, string> =>
  new Map(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith('.sh'))
      .map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]),
  );
