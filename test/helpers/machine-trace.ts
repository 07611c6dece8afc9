/** What stands on a machine because of a user: to be equal before a thing was put there and after it was taken away. */
import type { Seat } from './fleet-seen.ts';

/**
 * All but folders below the home, with mode and content; what else is the user's; units; lingering users. The heads of
 * the controller's audit are there without their content: each beat may add one.
 */
const TRACE = `cd; export LC_ALL=C XDG_RUNTIME_DIR=/run/user/$(id -u)
find . -xdev ! -type d -printf '%y %m %p %l\n' | sort
find /tmp /var/tmp /run/lock -xdev -user "$(id -u)" ! -name '.' 2>/dev/null | sort
find . -xdev -type f ! -name audit-heads -exec sha256sum {} + | sort -k 2
ls -A "$XDG_RUNTIME_DIR" | grep fleet
systemctl --user --no-legend --no-pager list-unit-files
ls -A /var/lib/systemd/linger`;

/** One fact a line. */
export const traceOf = async ({ host, user }: Seat): Promise<string[]> =>
  (await host.mustSsh(user, TRACE)).trim().split('\n');

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
