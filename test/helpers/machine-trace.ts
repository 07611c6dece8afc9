/** What stands on a machine because of a user: to be equal before a thing was put there and after it was taken away. */
import type { Seat } from './fleet-seen.ts';

/** Files and links below the home with kind, mode and content; units that systemd knows of; lingering users. */
const TRACE = `cd; export LC_ALL=C XDG_RUNTIME_DIR=/run/user/$(id -u)
find . -xdev -printf '%y %m %p %l\n' | sort
find . -xdev -type f -exec sha256sum {} + | sort -k 2
ls -A "$XDG_RUNTIME_DIR"
systemctl --user --no-legend --no-pager list-unit-files
ls -A /var/lib/systemd/linger`;

/** One fact a line, without those that `volatile` matches. */
export const traceOf = async ({ host, user }: Seat, volatile: RegExp = /(?!)/): Promise<string[]> => {
  const text = await host.mustSsh(user, TRACE);
  return text.split('\n').filter((line) => line !== '' && !volatile.test(line));
};

/** The checksums of everything below a folder of the home. */
export const contentOf = ({ host, user }: Seat, folder: string): Promise<string> =>
  host.mustSsh(user, `cd ~/${folder} && find . -type f ! -name '*.hb*' -exec sha256sum {} + | sort -k 2`);

/** Pids and commands of the user's processes whose command names `fleet`, but for the fleet's own agents. */
export const fleetProcessesOf = async ({ host, user }: Seat): Promise<string[]> => {
  const listed = await host.asRoot(`ps -u ${user} -o pid=,args= -ww`);
  return listed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /fleet/.test(line) && !/mosaic\/fleet/.test(line));
};
