/** The two daemons of this machine under whatever keeps processes here: user units, or detached processes. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../runtime/exec.ts';
import type { Paths } from '../../runtime/paths.ts';
import { type DaemonName, readDaemonSettings } from './daemon-settings.ts';
import { DetachedProcess } from './detached.ts';
import { installLayout } from './layout.ts';
import type { UserManager } from './user-manager.ts';
import {
  CONTROLLER_UNIT,
  type DaemonUnit,
  daemonUnitText,
  ensureUnit,
  HOST_AGENT_UNIT,
  removeUnit,
  stopUnit,
  type UnitOutcome,
} from './user-units.ts';
import { GivenUp } from './wait-until.ts';

export interface Daemons {
  /** For people: `user unit`, `detached process`. */
  readonly how: string;
  /** Runs it in this version; `restart` also when nothing changed. */
  ensure(name: DaemonName, options?: { restart?: boolean }): Promise<UnitOutcome>;
  /** True when it ran. */
  stop(name: DaemonName): Promise<boolean>;
  /** It has a unit here, whether that runs or not. */
  isInstalled(name: DaemonName): boolean;
  /** Stops it, and takes its unit away. */
  remove(name: DaemonName): Promise<void>;
  /** Its process is there, whether it answers or not. */
  isRunning(name: DaemonName): Promise<boolean>;
  /** What to type to read its log. */
  logHint(name: DaemonName): string;
  /** null while it runs; what it said last when it has ended and is not just being started. */
  lastWords(name: DaemonName): Promise<string | null>;
}

const UNIT: Record<DaemonName, DaemonUnit> = { controller: CONTROLLER_UNIT, 'host-agent': HOST_AGENT_UNIT };

export class UnitDaemons implements Daemons {
  readonly how = 'user unit';
  readonly #manager: UserManager;
  readonly #versionId: string;
  readonly #paths: Paths;

  constructor(manager: UserManager, versionId: string, paths: Paths) {
    this.#manager = manager;
    this.#versionId = versionId;
    this.#paths = paths;
  }

  async ensure(name: DaemonName, options: { restart?: boolean } = {}): Promise<UnitOutcome> {
    // One started before there was a user manager would hold the sockets.
    const wasDetached = await new DetachedProcess(this.#paths, name).stop();
    const unit = UNIT[name];
    const text = daemonUnitText(unit, this.#versionId);
    const outcome = await ensureUnit(this.#manager, installLayout(homedir()).units, unit, text, options);
    return wasDetached && outcome === 'started' ? 'restarted' : outcome;
  }

  async stop(name: DaemonName): Promise<boolean> {
    const wasDetached = await new DetachedProcess(this.#paths, name).stop();
    return (await stopUnit(this.#manager, UNIT[name])) || wasDetached;
  }

  isInstalled(name: DaemonName): boolean {
    return existsSync(join(installLayout(homedir()).units, UNIT[name]));
  }

  async remove(name: DaemonName): Promise<void> {
    await new DetachedProcess(this.#paths, name).stop();
    await removeUnit(this.#manager, installLayout(homedir()).units, UNIT[name]);
  }

  async isRunning(name: DaemonName): Promise<boolean> {
    if ((await new DetachedProcess(this.#paths, name).running()) !== null) return true;
    const { ActiveState } = await this.#manager.show(UNIT[name], ['ActiveState']);
    return ActiveState === 'active' || ActiveState === 'reloading';
  }

  logHint(name: DaemonName): string {
    return `journalctl --user -u ${UNIT[name]} -n 50`;
  }

  async lastWords(name: DaemonName): Promise<string | null> {
    const { ActiveState, SubState } = await this.#manager.show(UNIT[name], ['ActiveState', 'SubState']);
    if (ActiveState !== 'failed' && SubState !== 'auto-restart') return null;
    const args = ['--user', '-u', UNIT[name], '-n', '20', '-o', 'cat', '--no-pager'];
    return lastWordsIn(name, (await exec('journalctl', args, { timeoutMs: 5_000 })).stdout);
  }
}

export class DetachedDaemons implements Daemons {
  readonly how = 'detached process';
  readonly #paths: Paths;
  readonly #bin: string;
  readonly #versionId: string;

  /** `bin`: folder of the launchers. */
  constructor(paths: Paths, installed: { bin: string; versionId: string }) {
    this.#paths = paths;
    this.#bin = installed.bin;
    this.#versionId = installed.versionId;
  }

  async ensure(name: DaemonName, options: { restart?: boolean } = {}): Promise<UnitOutcome> {
    const env = await readDaemonSettings(this.#paths, name);
    const instance = this.#paths.instance === null ? [] : ['--instance', this.#paths.instance];
    const program = join(this.#bin, `fleet-${name}`);
    return new DetachedProcess(this.#paths, name).ensure([program, ...instance], {
      ...options,
      env,
      version: this.#versionId,
    });
  }

  stop(name: DaemonName): Promise<boolean> {
    return new DetachedProcess(this.#paths, name).stop();
  }

  isInstalled(): boolean {
    return false;
  }

  async remove(name: DaemonName): Promise<void> {
    await this.stop(name);
  }

  async isRunning(name: DaemonName): Promise<boolean> {
    return (await new DetachedProcess(this.#paths, name).running()) !== null;
  }

  logHint(name: DaemonName): string {
    return `tail -n 50 ${new DetachedProcess(this.#paths, name).logFile}`;
  }

  async lastWords(name: DaemonName): Promise<string | null> {
    const daemon = new DetachedProcess(this.#paths, name);
    if (await daemon.running()) return null;
    return lastWordsIn(name, await readFile(daemon.logFile, 'utf8').catch(() => ''));
  }
}

/** A daemon that cannot start says why in one line with its name in front. */
const lastWordsIn = (name: DaemonName, log: string): string => {
  const line = log.split('\n').findLast((text) => text.startsWith(`fleet-${name}: `));
  return line?.slice(`fleet-${name}: `.length) ?? 'it ended without a word';
};

/** For waits: throws when waiting on is of no use. */
export const mustRun = async (daemons: Daemons, name: DaemonName): Promise<void> => {
  const words = await daemons.lastWords(name);
  if (words !== null) throw new GivenUp('FAILED_PRECONDITION', `the ${name} does not run: ${words}`);
};
