/**
 * A home of its own with a roster, and what systemd does with an agent's unit: prepare, run its server, stop it, and what
 * follows. Real tmux on private sockets; everything ends with the bed.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AgentLaunchPaths,
  agentLaunchPaths,
  type LaunchGround,
} from '../../../../host-agent/launch/launch-paths.ts';
import type { Preflight } from '../../../../host-agent/launch/preflight-file.ts';
import { prepare } from '../../../../host-agent/launch/prepare.ts';
import { type Run, readLastRun } from '../../../../host-agent/launch/runs.ts';
import { until } from '../../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };

export class LaunchBed {
  readonly home = mkdtempSync(join(tmpdir(), 'fleet launch-'));
  readonly ground: LaunchGround = {
    home: this.home,
    state: join(this.home, '.local/state/fleet'),
    share: join(this.home, '.local/share/fleet'),
    mosaicHome: join(this.home, '.config/mosaic'),
    tmuxTmpdir: mkdtempSync(join(tmpdir(), 'fleet-tmux-')),
  };
  readonly #servers = new Map<string, ChildProcess>();

  constructor() {
    mkdirSync(join(this.ground.mosaicHome, 'fleet/agents'), { recursive: true });
  }

  files(agent: string): AgentLaunchPaths {
    return agentLaunchPaths(this.ground, agent);
  }

  /** Version 2, with quick heartbeats. */
  roster(...agents: object[]): void {
    const text = JSON.stringify({ version: 2, defaults: { env: { MOSAIC_HEARTBEAT_INTERVAL: 1 } }, agents });
    writeFileSync(join(this.ground.mosaicHome, 'fleet/roster.yaml'), text);
  }

  env(agent: string, text: string): void {
    writeFileSync(join(this.ground.mosaicHome, 'fleet/agents', `${agent}.env`), text);
  }

  /** A program of the user's own, in ~/.local/bin. */
  program(name: string, text: string): void {
    mkdirSync(join(this.home, '.local/bin'), { recursive: true });
    writeFileSync(join(this.home, '.local/bin', name), text);
    chmodSync(join(this.home, '.local/bin', name), 0o755);
  }

  /** With as little in its environment as a unit has. */
  get own(): NodeJS.ProcessEnv {
    return { PATH: '/usr/bin:/bin', HOME: this.home, TMUX_TMPDIR: this.ground.tmuxTmpdir };
  }

  prepare(agent: string): Promise<Preflight> {
    return prepare(agent, { ground: this.ground, own: this.own, nowMs: Date.now });
  }

  /** Starts the unit's main process; resolves when the agent runs. */
  async start(agent: string): Promise<void> {
    const { problems } = await this.prepare(agent);
    if (problems.length > 0) throw new Error(problems.map(({ words }) => words).join('; '));
    const { server, folder } = this.files(agent);
    const child = spawn('/bin/sh', [server], { env: { ...this.own, INVOCATION_ID: 'unit' }, stdio: 'ignore' });
    this.#servers.set(agent, child);
    await until(() => existsSync(join(folder, 'run')) || child.exitCode !== null, SOON);
  }

  /** The unit's main process has ended: how. */
  async ended(agent: string): Promise<{ code: number | null; signal: string | null }> {
    const child = this.#servers.get(agent)!;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return { code: child.exitCode, signal: child.signalCode };
  }

  serverPid(agent: string): number {
    return this.#servers.get(agent)!.pid!;
  }

  /** ExecStop. */
  stop(agent: string): number | null {
    const env = { ...this.own, MAINPID: String(this.serverPid(agent)) };
    return spawnSync('/bin/sh', [this.files(agent).stop], { env, timeout: 50_000 }).status;
  }

  /** ExecStopPost. */
  finish(agent: string, result = 'success'): number | null {
    const env = { ...this.own, SERVICE_RESULT: result };
    return spawnSync('/bin/sh', [this.files(agent).finish], { env, timeout: 50_000 }).status;
  }

  tmux(agent: string, ...args: string[]): string {
    const command = ['-u', '-L', `fleet-${agent}`, ...args];
    return execFileSync('tmux', command, { encoding: 'utf8', env: this.own, timeout: 30_000 }).trimEnd();
  }

  /** Of its pane. */
  pid(agent: string): number {
    return Number(readFileSync(join(this.files(agent).folder, 'run'), 'utf8').split(' ')[0]);
  }

  lastRun(agent: string): Promise<Run | null> {
    return readLastRun(join(this.ground.state, 'runs'), agent);
  }

  beatFile(agent: string): string {
    return join(this.ground.mosaicHome, 'fleet/run', `${agent}.hb`);
  }

  async close(): Promise<void> {
    for (const [agent, child] of this.#servers) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      this.finish(agent);
    }
    rmSync(this.home, { recursive: true, force: true });
    rmSync(this.ground.tmuxTmpdir, { recursive: true, force: true });
  }
}

/** Ended, whether or not somebody has heard of it. */
export const isGone = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return true;
  }
};

/** Pids of processes whose command line holds this text. */
export const processesWith = (text: string): number[] => {
  const { stdout } = spawnSync('pgrep', ['-f', text], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
};
