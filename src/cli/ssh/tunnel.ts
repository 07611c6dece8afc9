/**
 * The uplink of a machine that only ssh reaches: a supervised reverse tunnel from here, with a key of its own. On
 * the far side that key can do two things: remove the stale socket, and listen. mTLS runs inside as everywhere.
 */
import { access, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import { exec } from '../../runtime/exec.ts';
import type { Paths } from '../../runtime/paths.ts';
import { DetachedProcess } from '../install/detached.ts';
import { installLayout } from '../install/layout.ts';
import { UserManager } from '../install/user-manager.ts';
import { ensureUnit, removeUnit, type UnitOutcome } from '../install/user-units.ts';
import { writeIfDifferent } from '../install/write-file.ts';
import { effectiveConfig } from './effective-config.ts';
import { knownHostsFile } from './host-key.ts';
import type { SshTarget } from './ssh-target.ts';

const KEYGEN_TIMEOUT_MS = 10_000;
/** Characters that mean the same to ssh_config, authorized_keys, systemd and sh without quotes. */
const PLAIN_PATH = /^\/[A-Za-z0-9/._@+-]*$/;

/** `host:user`: names hold no colon, unit and file names may. */
export const tunnelName = (host: string, user: string): string => `${host}:${user}`;
export const tunnelUnit = (name: string): string => `fleet-tunnel@${name}.service`;
/** Comment of the key's line in authorized_keys. */
export const tunnelMark = (cell: string, name: string): string => `fleet-tunnel:${cell}/${name}`;

const keyFile = (paths: Paths, name: string): string => join(paths.state, 'ssh', `tunnel-${name}.key`);
const configFile = (paths: Paths, name: string): string => join(paths.state, 'ssh', `tunnel-${name}.config`);

export interface TunnelEnds {
  /** `tunnelName` of the host-agent that it serves. */
  name: string;
  cell: string;
  target: SshTarget;
  /** The socket on the far side that the host-agent dials. */
  remoteSocket: string;
  /** host:port on this side. */
  controller: string;
}

export const hasTunnel = (paths: Paths, name: string): Promise<boolean> =>
  access(configFile(paths, name)).then(
    () => true,
    () => false,
  );

/** What keeps tunnels on this machine: the user manager, or null for detached processes. */
export const tunnelManager = async (paths: Paths): Promise<UserManager | null> => {
  const manager = new UserManager();
  return paths.instance === null && (await manager.isReachable()) ? manager : null;
};

/** The far side's socket, where the host-agent of that user keeps its own. */
export const uplinkSocket = (facts: { runtime_dir: string; home: string }): string =>
  facts.runtime_dir ? `${facts.runtime_dir}/fleet/uplink.sock` : `${facts.home}/.local/state/fleet/run/uplink.sock`;

/** Makes the key where there is none; gives the line for authorized_keys. */
export const tunnelKeyLine = async (paths: Paths, ends: TunnelEnds): Promise<string> => {
  if (!PLAIN_PATH.test(ends.remoteSocket)) {
    throw new FleetError('FAILED_PRECONDITION', `a tunnel cannot end at ${ends.remoteSocket}: the path needs quoting`);
  }
  const file = keyFile(paths, ends.name);
  const mark = tunnelMark(ends.cell, ends.name);
  const publicKey = await readFile(`${file}.pub`, 'utf8').catch(() => null);
  if (publicKey === null) {
    await rm(file, { force: true });
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const args = ['-q', '-t', 'ed25519', '-N', '', '-C', mark, '-f', file];
    const result = await exec('ssh-keygen', args, { timeoutMs: KEYGEN_TIMEOUT_MS });
    if (result.exitCode !== 0) {
      throw new FleetError('FAILED_PRECONDITION', `ssh-keygen failed: ${result.spawnError ?? result.stderr.trim()}`);
    }
  }
  const [type, key] = (publicKey ?? (await readFile(`${file}.pub`, 'utf8'))).split(' ');
  const folder = ends.remoteSocket.slice(0, ends.remoteSocket.lastIndexOf('/'));
  const clean = `mkdir -p -m 700 ${folder} && rm -f ${ends.remoteSocket}`;
  return `restrict,port-forwarding,command="${clean}" ${type} ${key} ${mark}`;
};

/** Everything that the supervised ssh needs, in a file of its own: it reads no other configuration. */
const configText = async (paths: Paths, ends: TunnelEnds): Promise<string> => {
  const effective = await effectiveConfig(ends.target);
  const options: [string, string | undefined][] = [
    ['HostName', effective.hostname],
    ['User', effective.user],
    ['Port', effective.port],
    ['HostKeyAlias', effective.hostkeyalias],
    ['ProxyJump', effective.proxyjump],
    ['UserKnownHostsFile', `${knownHostsFile(paths)} ${effective.userknownhostsfile ?? '~/.ssh/known_hosts'}`],
    ['StrictHostKeyChecking', 'yes'],
    ['IdentityFile', keyFile(paths, ends.name)],
    ['IdentitiesOnly', 'yes'],
    ['IdentityAgent', 'none'],
    ['BatchMode', 'yes'],
    ['ConnectTimeout', '10'],
    ['ServerAliveInterval', '3'],
    ['ServerAliveCountMax', '3'],
    ['ControlPath', 'none'],
    ['RequestTTY', 'no'],
    ['ExitOnForwardFailure', 'yes'],
    ['RemoteForward', `${ends.remoteSocket} ${ends.controller}`],
  ];
  const lines = options.filter(([, value]) => value !== undefined).map(([name, value]) => `  ${name} ${value}\n`);
  return `Host uplink\n${lines.join('')}`;
};

/**
 * The stale socket is removed by a connection of its own: sshd refuses to listen on one that is there, whatever
 * the client asks for (OpenSSH 9.2).
 */
const unitText = (name: string, config: string): string => `[Unit]
Description=fleet: uplink of ${name} over ssh
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStartPre=/usr/bin/env ssh -F ${config} -o ClearAllForwardings=yes uplink
ExecStart=/usr/bin/env ssh -F ${config} -N uplink
Restart=always
RestartSec=2
TimeoutStartSec=60
UMask=0077
MemoryMax=128M
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`;

/**
 * Writes, starts and supervises the tunnel; `manager` null: as a detached process, by `loop` (tunnel.sh). `restart`:
 * also when nothing about it has changed.
 */
export const ensureTunnel = async (
  paths: Paths,
  ends: TunnelEnds,
  under: { manager: UserManager | null; loop: string; restart: boolean },
): Promise<UnitOutcome> => {
  const config = configFile(paths, ends.name);
  const changed = await writeIfDifferent(config, await configText(paths, ends), 0o600);
  const restart = changed || under.restart;
  if (!under.manager) return runDetached(paths, ends.name, under.loop, restart);
  const text = unitText(ends.name, config);
  return ensureUnit(under.manager, installLayout(homedir()).units, tunnelUnit(ends.name), text, { restart });
};

const runDetached = (paths: Paths, name: string, loop: string, restart: boolean): Promise<UnitOutcome> =>
  new DetachedProcess(paths, `tunnel-${name}`).ensure(['/bin/sh', loop, configFile(paths, name)], { restart });

/** Names of the tunnels from here. */
export const tunnelNames = async (paths: Paths): Promise<string[]> =>
  (await readdir(join(paths.state, 'ssh')).catch(() => [])).flatMap(
    (file) => /^tunnel-(.+)\.config$/.exec(file)?.[1] ?? [],
  );

/** After a start without a user manager: its tunnels are processes that a reboot has ended. */
export const resumeDetachedTunnels = async (paths: Paths, loop: string): Promise<void> => {
  for (const name of await tunnelNames(paths)) await runDetached(paths, name, loop, false);
};

export const stopDetachedTunnels = async (paths: Paths): Promise<void> => {
  for (const name of await tunnelNames(paths)) await new DetachedProcess(paths, `tunnel-${name}`).stop();
};

/** Ends the tunnel and removes its unit, key and configuration on this side; true when there was one. */
export const removeTunnel = async (paths: Paths, name: string, manager: UserManager | null): Promise<boolean> => {
  const there = await hasTunnel(paths, name);
  const stopped = await new DetachedProcess(paths, `tunnel-${name}`).stop();
  const removed = manager ? await removeUnit(manager, installLayout(homedir()).units, tunnelUnit(name)) : false;
  for (const file of [configFile(paths, name), keyFile(paths, name), `${keyFile(paths, name)}.pub`]) {
    await rm(file, { force: true });
  }
  await rm(join(paths.state, 'log', `tunnel-${name}.log`), { force: true });
  return there || stopped || removed;
};
