/**
 * The Debian that every host is a thin layer on: built once, kept, never written to again. In: which variant. Out: its
 * folder. It appears under its name only when complete; two runs that both miss it build it once.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run-command.ts';

/** `no-polkit`: a machine on which enabling linger for oneself is refused. */
export type RootVariant = 'standard' | 'no-polkit';

const CACHE = process.env.FLEET_TESTBED_CACHE ?? '/var/cache/fleet-testbed';
const SUITE = 'bookworm';
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'dbus-user-session',
  'libpam-systemd',
  'polkitd',
  'tmux',
  'openssh-server',
  'iproute2',
  'procps',
  'python3-minimal',
  'ca-certificates',
  'sudo',
  'iputils-ping',
  // Full-screen programs to be watched.
  'vim-tiny',
  'htop',
  'less',
];

/** Lock, look again, build beside, rename: a build that was interrupted leaves nothing under the final name. */
const BUILD = `set -eu
root=$1 suite=$2 packages=$3 stamp=$4
exec 9> "$root.lock"; flock 9
if [ -e "$root.stamp" ] && [ "$(cat "$root.stamp")" = "$stamp" ]; then exit 0; fi
rm -rf "$root.building" "$root.stamp"
mmdebstrap --quiet --variant=minbase --include="$packages" "$suite" "$root.building"
rm -rf "$root"
mv "$root.building" "$root"
printf %s "$stamp" > "$root.stamp"`;

const packagesOf = (variant: RootVariant): string[] =>
  variant === 'standard' ? PACKAGES : PACKAGES.filter((name) => name !== 'polkitd');

/** Folder of the root file system, to be used as a read-only lower layer. Builds it where it is missing (25–40 s). */
export const rootFs = async (variant: RootVariant): Promise<string> => {
  const given = join(CACHE, variant === 'standard' ? 'root' : `root-${variant}`);
  const packages = packagesOf(variant);
  const stamp = `1 ${SUITE} ${packages.join(',')}`;
  if (holdsAll(given, packages)) return given;
  // Named for what is in it: a checkout with another list builds beside it, and takes it away from nobody.
  const root = `${given}-${createHash('sha256').update(stamp).digest('hex').slice(0, 12)}`;
  if (readStamp(root) === stamp) return root;
  await run(['mkdir', '-p', CACHE]);
  await run(['sh', '-c', BUILD, 'sh', root, SUITE, packages.join(','), stamp], { timeoutMs: 600_000 });
  return root;
};

const readStamp = (root: string): string | null =>
  existsSync(root) && existsSync(`${root}.stamp`) ? readFileSync(`${root}.stamp`, 'utf8') : null;

/** Whether a root that somebody else put there (an image of a CI machine) has all that ours would have. */
const holdsAll = (root: string, packages: readonly string[]): boolean => {
  const status = join(root, 'var/lib/dpkg/status');
  if (!existsSync(status) || !existsSync(join(root, 'etc/debian_version'))) return false;
  const installed = new Set(
    readFileSync(status, 'utf8')
      .split('\n\n')
      .filter((entry) => entry.includes('\nStatus: install ok installed'))
      .map((entry) => /^Package: (.*)$/m.exec(entry)?.[1]),
  );
  const unwanted = PACKAGES.filter((name) => !packages.includes(name));
  return packages.every((name) => installed.has(name)) && unwanted.every((name) => !installed.has(name));
};
