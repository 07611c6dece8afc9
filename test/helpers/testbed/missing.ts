/** Why this machine cannot carry real hosts, in words that say what to do; null where it can. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program and the Debian package that brings it. */
const PROGRAMS: Record<string, string> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  nft: 'nftables',
  tcc: 'tcc',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  nsenter: 'util-linux',
  flock: 'util-linux',
};

export const whyNoTestbed = (): string | null => {
  if (process.platform !== 'linux') return `it needs Linux, not ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root, for namespaces and mounts';
  const missing = Object.entries(PROGRAMS).filter(([program]) => !isOnPath(program));
  if (missing.length > 0) return `apt-get install ${[...new Set(missing.map(([, name]) => name))].join(' ')}`;
  if (!existsSync('/sys/fs/cgroup')) return 'no cgroups are mounted at /sys/fs/cgroup';
  return null;
};

const isOnPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
