/** What makes a bare Debian a host of the bed: names, address, keys before its first boot; users after it. */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareClock } from './clock.ts';
import type { Host } from './host.ts';
import type { HostOptions, UserOptions } from './host-options.ts';
import { quote, run } from './run-command.ts';

/** Writes to the disk of a host that has not booted yet. Returns the host's public key. */
export const prepareDisk = async (
  root: string,
  host: { name: string; address: string },
  options: HostOptions,
): Promise<string> => {
  const at = (path: string) => join(root, path);
  writeFileSync(at('etc/hostname'), `${host.name}\n`);
  rmSync(at('etc/machine-id'), { force: true });
  await run(['systemd-machine-id-setup', `--root=${root}`]);
  mkdirSync(at('var/log/journal'), { recursive: true });
  mkdirSync(at('etc/systemd/network'), { recursive: true });
  writeFileSync(at('etc/systemd/network/10-host0.network'), networkFile(host.address));
  symlinkSync('/lib/systemd/system/systemd-networkd.service', at(`${WANTS}/systemd-networkd.service`));
  for (const key of readdirSync(at('etc/ssh')).filter((name) => name.startsWith('ssh_host_')))
    rmSync(at(`etc/ssh/${key}`));
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', host.name, '-f', at('etc/ssh/ssh_host_ed25519_key')]);
  if (options.node) {
    copyFileSync(process.execPath, at('usr/local/bin/node'));
    chmodSync(at('usr/local/bin/node'), 0o755);
  }
  if (options.ownClock) await prepareClock(root);
  return run(['cat', at('etc/ssh/ssh_host_ed25519_key.pub')]);
};

const WANTS = 'etc/systemd/system/multi-user.target.wants';

const networkFile = (address: string): string =>
  `[Match]\nName=host0\n[Network]\nAddress=${address}/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n`;

/** Adds a user who can be reached by the control key, with linger and a running user manager where asked. */
export const addUser = async (host: Host, user: UserOptions, controlKey: string): Promise<void> => {
  await host.asRoot(`useradd -m -s /bin/bash -u ${user.uid} ${quote(user.name)}`);
  await host.authorise(user.name, controlKey);
  if (!user.linger) return;
  if (host.rootVariant === 'no-polkit') await host.asRoot(`loginctl enable-linger ${quote(user.name)}`);
  else await host.mustSsh(user.name, 'loginctl enable-linger');
};
