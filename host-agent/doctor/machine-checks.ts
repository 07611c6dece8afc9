/** The machine under the fleet: tmux, user manager, linger, run folder, disk. */
import { lstatSync, statfsSync } from 'node:fs';
import { exec } from '../../src/runtime/exec.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { DiagnoseOptions } from './diagnose-host.ts';
import { failed, ok, warning } from './finding.ts';

const OLDEST_TMUX = 3.2;
const LEAST_FREE_BYTES = 200 * 1024 * 1024;

export const tmuxProgram = async (): Promise<Finding> => {
  const result = await exec('tmux', ['-V'], { timeoutMs: 2_000 });
  if (result.exitCode !== 0) {
    return failed('tmux', 'tmux was not found on the PATH', 'agents live in tmux', 'install it: apt-get install tmux');
  }
  const words = result.stdout.trim();
  const version = Number.parseFloat(/(\d+\.\d+)/.exec(words)?.[1] ?? '0');
  return version < OLDEST_TMUX
    ? warning(
        'tmux',
        `${words} is older than ${OLDEST_TMUX}`,
        'lists and screens of older servers are not read reliably',
        'upgrade tmux',
      )
    : ok('tmux', words);
};

export const userManager = ({ inventory, config }: DiagnoseOptions): Finding => {
  const { problem, units } = inventory.readings().systemd;
  if (config.paths.isolated) return ok('user manager', 'an instance watches no units');
  return problem === null
    ? ok('user manager', `answers on the bus; ${units.size} units of agents`)
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
  if (on === null) return { check: 'linger', outcome: 'unknown', what: 'could not be told' };
  return on
    ? ok('linger', `on for ${config.user}`)
    : warning(
        'linger',
        `off for ${config.user}`,
        'after a reboot nothing of this user starts until somebody logs in',
        `sudo loginctl enable-linger ${config.user}`,
      );
};

export const runFolder = ({ config }: DiagnoseOptions): Finding => {
  const { run } = config.paths;
  try {
    const stat = lstatSync(run);
    if (stat.isDirectory() && stat.uid === config.uid && (stat.mode & 0o077) === 0) return ok('run folder', run);
  } catch {
    // Told below.
  }
  return failed(
    'run folder',
    `${run} is not a folder of mode 0700 of this user`,
    'others could reach the socket',
    `chmod 700 ${run}`,
  );
};

export const disk = ({ config }: DiagnoseOptions): Finding => {
  const { bavail, bsize } = statfsSync(config.paths.state);
  const free = bavail * bsize;
  const what = `${Math.round(free / 1024 / 1024)} MiB free below ${config.paths.state}`;
  return free < LEAST_FREE_BYTES
    ? warning('disk', what, 'identity, journals and heartbeats need room to be written', 'free some space')
    : ok('disk', what);
};
