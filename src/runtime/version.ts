import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };

/** Of this program, as its package says. */
export const FLEET_VERSION: string = manifest.version;

/** `<version>-<digest>` of the folder that this program was shipped in; null when it runs from a checkout. */
export const installedBuild = (): string | null => {
  const from = import.meta.dirname;
  if (basename(from) !== 'lib') return null;
  try {
    return readFileSync(join(from, '../VERSION'), 'utf8').trim();
  } catch {
    return null;
  }
};
