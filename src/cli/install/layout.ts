/** Where an installed fleet lies in a user's home, the same on this machine and on those that were added. */
import { join } from 'node:path';

export interface InstallLayout {
  /** One folder for each version, named `<version>-<digest>`. */
  versions: string;
  /** Node.js by version and architecture, shared by versions. */
  runtimes: string;
  /** Link to the version in use. */
  current: string;
  /** Link on the user's PATH. */
  command: string;
  /** User units. */
  units: string;
  /** What an upgrade under way keeps, to go back. */
  upgrade: string;
  /** Compile caches, one for each version. */
  compileCaches: string;
}

export const KEPT_VERSIONS = 3;

export const installLayout = (home: string): InstallLayout => {
  const share = join(home, '.local/share/fleet');
  return {
    versions: join(share, 'versions'),
    runtimes: join(share, 'runtimes'),
    current: join(share, 'current'),
    command: join(home, '.local/bin/fleet'),
    units: join(home, '.config/systemd/user'),
    upgrade: join(home, '.local/state/fleet/upgrade'),
    compileCaches: join(home, '.cache/fleet'),
  };
};
