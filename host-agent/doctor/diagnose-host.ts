/**
 * What is wrong on this host and how to mend it: every check says what it saw, why it matters and what to type.
 * Looks only; a check that cannot be made says so.
 */
import { accessSync, constants, lstatSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { readCertificate, renewalDueMs } from '../../src/identity/certificate.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { exec } from '../../src/runtime/exec.ts';
import { FLEET_VERSION } from '../../src/runtime/version.ts';
import type { DiagnoseResponse, Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { HostAgentConfig } from '../config.ts';
import type { Enrolment } from '../enrollment/enrolment.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { readHostPolicy } from '../policy/host-policy.ts';

export interface DiagnoseOptions {
  config: HostAgentConfig;
  enrolment: Enrolment;
  inventory: Inventory;
  clock: Clock;
  standing(): { state: string; address: string; reason: string | null };
  /** Our clock minus the controller's at its last beat; null before any. */
  clockSkewMs(): number | null;
}

const OLDEST_TMUX = 3.2;
const SKEW_WORTH_SAYING_MS = 30_000;
const LEAST_FREE_BYTES = 200 * 1024 * 1024;

export const diagnoseHost = async (options: DiagnoseOptions): Promise<DiagnoseResponse> => ({
  findings: [
    ok('version', `host-agent ${FLEET_VERSION}, node ${process.versions.node}`),
    await tmuxProgram(),
    ...tmuxServers(options),
    userManager(options),
    linger(options),
    runFolder(options),
    disk(options),
    roster(options),
    heartbeats(options),
    ...flagged(options),
    policy(options),
    certificate(options),
    reach(options),
    clockSkew(options),
  ],
});

const ok = (check: string, what: string): Finding => ({ check, outcome: 'ok', what });
const warning = (check: string, what: string, why: string, mend: string): Finding => ({
  check,
  outcome: 'warning',
  what,
  why,
  mend,
});
const failed = (check: string, what: string, why: string, mend: string): Finding => ({
  check,
  outcome: 'failed',
  what,
  why,
  mend,
});

const tmuxProgram = async (): Promise<Finding> => {
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

const tmuxServers = ({ inventory }: DiagnoseOptions): Finding[] => {
  const { servers } = inventory.readings().tmux;
  if (servers.length === 0) return [ok('tmux servers', 'no tmux server of this user runs')];
  return servers.map((server) => {
    const what = `${server.socket}: ${server.sessions.length} sessions, pid ${server.pid ?? '?'}`;
    if (server.problem) {
      return failed(
        'tmux server',
        `${server.socket}: ${server.problem.words}`,
        'its sessions are shown as unknown',
        server.problem.code === 'unsafe_socket'
          ? `chmod 700 the folder of ${server.socket}, and make sure that it is yours`
          : 'look at that tmux server by hand',
      );
    }
    return ok('tmux server', server.polled ? `${what}; polled, because ${server.polled}` : what);
  });
};

const userManager = ({ inventory, config }: DiagnoseOptions): Finding => {
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

const linger = ({ inventory, config }: DiagnoseOptions): Finding => {
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

const runFolder = ({ config }: DiagnoseOptions): Finding => {
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

const disk = ({ config }: DiagnoseOptions): Finding => {
  const { bavail, bsize } = statfsSync(config.paths.state);
  const free = bavail * bsize;
  const what = `${Math.round(free / 1024 / 1024)} MiB free below ${config.paths.state}`;
  return free < LEAST_FREE_BYTES
    ? warning('disk', what, 'identity, journals and heartbeats need room to be written', 'free some space')
    : ok('disk', what);
};

const roster = ({ inventory }: DiagnoseOptions): Finding => {
  const { path, roster: held, problem } = inventory.readings().roster;
  if (problem !== null)
    return failed('roster', problem, 'agents are shown by the last roster that could be read', `mend ${path}`);
  return ok(
    'roster',
    held === null ? `none at ${path}: every session is unmanaged` : `${held.agents.length} agents in ${path}`,
  );
};

const heartbeats = ({ inventory, config }: DiagnoseOptions): Finding => {
  const { problem, byAgent } = inventory.readings().heartbeats;
  const folder = join(config.paths.mosaicHome, 'fleet/run');
  if (problem !== null)
    return failed('heartbeats', problem, 'agents cannot be seen to live', `make ${folder} readable for ${config.user}`);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK);
  } catch (error) {
    const none = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (none) return ok('heartbeats', `${folder} does not exist: no agent has written one`);
    return warning(
      'heartbeats',
      `${folder} is not writable`,
      'sidecars of this user cannot write there',
      `chmod u+rwx ${folder}`,
    );
  }
  return ok('heartbeats', `${byAgent.size} in ${folder}`);
};

/** Flags with a mend of their own; the first agents are named. */
const MENDS: Record<string, { why: string; mend: (names: string[]) => string }> = {
  'BOOT-ENABLE': {
    why: 'after a reboot they will not come back',
    mend: (names) => `systemctl --user enable ${names.map((name) => `mosaic-agent@${name}.service`).join(' ')}`,
  },
  'STALE-UNIT': { why: 'systemd runs an older text of the unit', mend: () => 'systemctl --user daemon-reload' },
  UNPROTECTED: {
    why: 'their tmux server dies with the login or unit in which it was started',
    mend: () => 'start the tmux server in a unit of its own',
  },
  DRIFT: {
    why: 'the pane runs another program than the roster says',
    mend: () => 'look at the pane, or correct the roster',
  },
  MISSING: {
    why: 'the roster names them, and there is no session',
    mend: (names) => `systemctl --user start ${names.map((name) => `mosaic-agent@${name}.service`).join(' ')}`,
  },
  'FOREIGN-HEARTBEAT': {
    why: 'the beat comes from a process outside the pane',
    mend: () => 'look for a second copy of the agent',
  },
  'ORPHAN-VIEWER': {
    why: 'a viewer left its session behind',
    mend: () => 'tmux kill-session -t the session named …-watch-…',
  },
};

const flagged = ({ inventory }: DiagnoseOptions): Finding[] =>
  Object.entries(MENDS).flatMap(([flag, { why, mend }]) => {
    const names = inventory.rows.filter(({ flags }) => flags.includes(flag)).map(({ agent }) => agent);
    const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
    return names.length === 0 ? [] : [warning(flag, shown, why, mend(names))];
  });

const policy = ({ config }: DiagnoseOptions): Finding => {
  const { control, federated, problem } = readHostPolicy(config.paths.config);
  return problem === null
    ? ok('policy', `control ${control}, callers of other cells ${federated}`)
    : failed('policy', problem, 'until it can be read, nothing but looking is allowed here', 'mend that file');
};

const certificate = ({ enrolment, clock, config }: DiagnoseOptions): Finding => {
  const identity = enrolment.identity;
  if (identity === null) {
    return enrolment.problem === null
      ? warning(
          'certificate',
          'not enrolled with any controller',
          'other machines do not see this one',
          'fleet up here, or fleet host add from the controller’s machine',
        )
      : failed(
          'certificate',
          enrolment.problem,
          'other machines do not see this one',
          'make a new token with "fleet token" and give it to "fleet host join"',
        );
  }
  const facts = readCertificate(identity.certificatePem);
  const leftMs = facts.notAfterMs - clock.nowMs();
  const what = `${identity.host}/${identity.user} in cell ${identity.cell}, ${leftMs > 0 ? 'ends' : 'ended'} ${new Date(facts.notAfterMs).toISOString()}`;
  if (leftMs <= 0)
    return failed(
      'certificate',
      what,
      'the controller takes no stream with it',
      `it renews by itself once the controller is reached; see "reach" and ${config.paths.state}/host-agent`,
    );
  return clock.nowMs() > renewalDueMs(facts)
    ? warning('certificate', `${what}; renewal is due`, 'it has not been renewed in time', 'see "reach"')
    : ok('certificate', what);
};

const reach = ({ standing, enrolment }: DiagnoseOptions): Finding => {
  if (enrolment.identity === null) return ok('reach', 'no controller to be reached');
  const { state, address, reason } = standing();
  if (state === 'connected') return ok('reach', `controller at ${address}`);
  return failed(
    'reach',
    `controller ${state} at ${address || enrolment.identity.addresses.join(', ')}${reason ? `: ${reason}` : ''}`,
    'other machines see the last rows of this one only',
    'is the controller running there (fleet up), and is its port open to this machine?',
  );
};

const clockSkew = ({ clockSkewMs }: DiagnoseOptions): Finding => {
  const skewMs = clockSkewMs();
  if (skewMs === null) return { check: 'clock', outcome: 'unknown', what: 'no controller to compare with' };
  const what = `${Math.round(skewMs / 1000)} s against the controller’s`;
  return Math.abs(skewMs) > SKEW_WORTH_SAYING_MS
    ? warning(
        'clock',
        what,
        'ages are right all the same, but times in logs will not match',
        'timedatectl set-ntp true',
      )
    : ok('clock', what);
};
