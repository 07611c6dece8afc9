/** This version in its place, and what keeps daemons on this machine: user units, or detached processes. */
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import { ensureLinger } from '../../runtime/linger.ts';
import type { Paths } from '../../runtime/paths.ts';
import { keepDaemonSetting } from './daemon-settings.ts';
import { type Daemons, DetachedDaemons, UnitDaemons } from './daemons.ts';
import { installVersion } from './install-version.ts';
import { installLayout } from './layout.ts';
import { shippedVersion } from './shipped-version.ts';
import { done, type Steps, unchanged, warning } from './steps.ts';
import { UserManager } from './user-manager.ts';
import { waitUntil } from './wait-until.ts';

const BUS_TIMEOUT_MS = 5_000;

export interface StartContext {
  paths: Paths;
  steps: Steps;
  signal: AbortSignal;
}

/** Puts this version in its place; instances run from where they were shipped and leave the home as it is. */
export const installHere = async ({ paths, steps }: StartContext): Promise<{ bin: string; versionId: string }> => {
  const shipped = shippedVersion();
  if (paths.instance !== null) return { bin: join(shipped.root, 'bin'), versionId: shipped.id };
  return steps.run('install', async () => {
    const installed = await installVersion(shipped, installLayout(homedir()));
    const where = { bin: join(installed.root, 'bin'), versionId: shipped.id };
    if (installed.commandNote) return [warning(`${shipped.id}; ${installed.commandNote}`), where];
    return [installed.changed ? done(`${shipped.id}, fleet linked into ~/.local/bin`) : unchanged(shipped.id), where];
  });
};

/** Linger first: it starts the user manager where nobody is logged in. */
export const chooseDaemons = async (
  context: StartContext,
  installed: { bin: string; versionId: string },
): Promise<Daemons> => {
  const { paths, steps, signal } = context;
  if (paths.instance !== null) return new DetachedDaemons(paths, installed);
  const manager = new UserManager();
  const { username } = userInfo();
  await steps.run('boot', async () => {
    const linger = await ensureLinger(username, paths);
    if (linger.state === 'on') return unchanged('linger is on: the user manager starts at boot');
    if (linger.state === 'enabled') return done('linger enabled: the user manager starts at boot');
    if (linger.state === 'no-systemd') return warning('no systemd here: nothing starts at boot by itself');
    return warning(`linger refused: it stops at logout until an administrator runs: ${linger.command}`);
  });
  const isReachable = await waitUntil('no user manager', async () => (await manager.isReachable()) || null, {
    timeoutMs: BUS_TIMEOUT_MS,
    signal,
  }).catch((error) => {
    if (error instanceof FleetError) return false;
    throw error;
  });
  await repeatEnvironment(paths);
  return isReachable ? new UnitDaemons(manager, installed.versionId, paths) : new DetachedDaemons(paths, installed);
};

/** A unit does not see the shell's variables; those that say where agents live are kept for it. */
const repeatEnvironment = async (paths: Paths): Promise<void> => {
  for (const name of ['MOSAIC_HOME', 'TMUX_TMPDIR']) {
    const value = process.env[name];
    if (value?.startsWith('/')) await keepDaemonSetting(paths, 'host-agent', name, value);
  }
};
