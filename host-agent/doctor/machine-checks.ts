/** The machine under the fleet: user manager, linger, our own folders, disk, and who else lives here. */
import { lstatSync, type Stats, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { counted } from '../../src/domain/counted.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { failed, few, ok, unknown, warning } from './finding.ts';

const LEAST_FREE_BYTES = 200 * 1024 * 1024;
const LEAST_FREE_FILES = 2_000;
const MEBIBYTE = 1024 * 1024;

export const userManager = ({ inventory, config }: DiagnoseOptions): Finding => {
  const { problem, units } = inventory.readings().systemd;
  if (config.paths.isolated) return ok('user manager', 'an instance watches no units');
  return problem === null
    ? ok('user manager', `answers on the bus; ${counted(units.size, 'unit')} of agents`)
    : warning(
        'user manager',
        problem,
        'unit states cannot be shown',
        `systemctl start user@${config.uid}.service (as administrator)`,
      );
};

export const linger = ({ inventory, config }: DiagnoseOptions): Finding => {
  const on = inventory.readings().systemd.linger;
  if (config.paths.isolated) return ok('linger', 'does not concern an instance');
  if (on === null) return unknown('linger', 'could not be told');
  return on
    ? ok('linger', `on for ${config.user}`)
    : warning(
        'linger',
        `off for ${config.user}`,
        'after a reboot nothing of this user starts until somebody logs in, and its units end with the last login',
        `loginctl enable-linger ${config.user}; where that is refused, an administrator runs the same with sudo`,
        { kind: 'enable-linger', targets: [config.user] },
      );
};

/** Sockets, keys and settings: what others could reach or change in them. */
export const ownFolders = ({ config }: DiagnoseOptions): Finding => {
  const { run, state, config: settings } = config.paths;
  const closed = [run, state, join(state, 'host-agent')];
  const unwritable = [settings, join(settings, 'host-policy.json')];
  const held = [
    ...closed.map((path) => ({ path, stat: statOf(path, lstatSync) })),
    // Settings may be kept elsewhere, behind a link.
    ...unwritable.map((path) => ({ path, stat: statOf(path, statSync) })),
  ];
  const foreign = held.filter(({ stat }) => stat !== null && (stat.uid !== config.uid || stat.isSymbolicLink()));
  if (foreign.length > 0) {
    const what = `${few(foreign.map(({ path }) => path))} not of this user`;
    return failed('folders', what, 'others could stand in for this fleet', 'look who made it');
  }
  const open = held
    .filter(({ path, stat }) => ((stat?.mode ?? 0) & (closed.includes(path) ? 0o077 : 0o022)) !== 0)
    .map(({ path }) => path);
  if (open.length === 0) return ok('folders', `${run}, ${state}: closed to others`);
  return failed(
    'folders',
    `${few(open)} open to others`,
    'others could reach the socket, read keys or change settings',
    `chmod go-rwx ${open.join(' ')}`,
    { kind: 'close-path', targets: open },
  );
};

const statOf = (path: string, read: (path: string) => Stats): Stats | null => {
  try {
    return read(path);
  } catch {
    return null;
  }
};

export const disk = ({ config }: DiagnoseOptions): Finding => {
  const { run, state } = config.paths;
  const short: string[] = [];
  for (const path of [state, run]) {
    const { bavail, bsize, files, ffree } = statfsSync(path);
    // A folder for sockets and locks is often a small file system of its own.
    const least = path === state ? LEAST_FREE_BYTES : MEBIBYTE;
    if (bavail * bsize < least) short.push(`${Math.round((bavail * bsize) / MEBIBYTE)} MiB free below ${path}`);
    if (files > 0 && ffree < LEAST_FREE_FILES) short.push(`room for ${ffree} more files below ${path}`);
  }
  const { bavail, bsize } = statfsSync(state);
  return short.length > 0
    ? warning('disk', short.join('; '), 'identity, journals and heartbeats need room to be written', 'free some space')
    : ok('disk', `${Math.round((bavail * bsize) / MEBIBYTE)} MiB free below ${state}`);
};

/** Nobody else is named by fleet; this is what the kernel shows everybody of everybody. */
export const neighbours = ({ foreignServers }: DiagnoseOptions): Finding => {
  const uids = [...new Set(foreignServers())].sort((a, b) => a - b);
  return ok(
    'neighbours',
    uids.length === 0
      ? 'the process list shows tmux servers of no other user'
      : `the process list shows tmux servers of uid ${uids.join(', ')} too; command lines here are as visible to them`,
  );
};
