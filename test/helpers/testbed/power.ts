/**
 * A host's power: boots its disk as a container with a real systemd, turns it off, pulls its cord. `off` → boot → `on` →
 * powerOff or pullCord → `off`. Off means that no process, mount or network interface of the boot is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until.ts';
import { inCgroup, pidsIn, removeCgroup } from './cgroup.ts';
import type { Network } from './network.ts';
import { readStat, signalProcess } from './processes.ts';

export interface PowerOptions {
  hostName: string;
  /** Short name for nspawn and the interface, unique on this machine. */
  machine: string;
  root: string;
  folder: string;
  cgroup: string;
  network: Network;
}

export class Power {
  readonly #options: PowerOptions;
  #nspawn: ChildProcess | null = null;
  #leader: number | null = null;

  constructor(options: PowerOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#leader !== null;
  }

  /** Pid of the host's first process, as this machine numbers it. */
  get leader(): number {
    if (this.#leader === null) throw new Error(`${this.#options.hostName} is off`);
    return this.#leader;
  }

  /** Name of the interface at the bridge's end of the host's cable. */
  get cable(): string {
    return `vb-${this.#options.machine}`;
  }

  async boot(): Promise<void> {
    const { hostName, machine, root, folder, cgroup, network } = this.#options;
    if (this.#nspawn !== null) throw new Error(`${hostName} is on already`);
    const console = openSync(join(folder, 'console.log'), 'a');
    const argv = ['systemd-nspawn', '-D', root, '-M', machine, `--hostname=${hostName}`, '--register=no'];
    const options = [
      '--keep-unit',
      '--link-journal=no',
      '--resolv-conf=off',
      '--timezone=off',
      `--network-bridge=${network.bridge}`,
      '--console=pipe',
      '-b',
    ];
    const [file, ...args] = inCgroup(cgroup, network.inside([...argv, ...options]));
    const nspawn = spawn(file!, args, {
      stdio: ['ignore', console, console],
      detached: true,
      // The hierarchy of a Debian 12 on its own, whatever this machine has.
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8', SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    });
    this.#nspawn = nspawn;
    this.#leader = await until(
      () => {
        if (nspawn.exitCode !== null) throw new Error(`${hostName} did not boot: ${this.#lastWords()}`);
        return pidsIn(cgroup).find((pid) => isFirstInItsNamespace(pid));
      },
      { timeoutMs: 60_000 },
    );
  }

  /** A clean shutdown, as by the power button. */
  async powerOff(timeoutMs = 120_000): Promise<void> {
    this.#nspawn?.kill('SIGTERM');
    await this.#ended(timeoutMs);
  }

  /** Every process of the host ends at once; nothing is told, nothing is flushed. */
  async pullCord(): Promise<void> {
    const stat = readStat(this.leader);
    if (stat !== null) signalProcess(stat, 'SIGKILL');
    await this.#ended(60_000);
  }

  async #ended(timeoutMs: number): Promise<void> {
    const { cgroup, hostName, network } = this.#options;
    const nspawn = this.#nspawn;
    if (nspawn === null) return;
    if (nspawn.exitCode === null && nspawn.signalCode === null) {
      await once(nspawn, 'exit', { signal: AbortSignal.timeout(timeoutMs) }).catch((cause: unknown) => {
        throw new Error(`${hostName} did not go off within ${timeoutMs} ms: ${this.#lastWords()}`, { cause });
      });
    }
    this.#leader = null;
    this.#nspawn = null;
    await until(async () => pidsIn(cgroup).length === 0 && !(await network.hasLink(this.cable)), { timeoutMs: 60_000 });
    removeCgroup(cgroup);
  }

  #lastWords(): string {
    return readFileSync(join(this.#options.folder, 'console.log'), 'utf8').trim().slice(-1_000);
  }
}

const isFirstInItsNamespace = (pid: number): boolean => {
  try {
    return /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
