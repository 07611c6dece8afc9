/**
 * The test's own way into a host as one of its users: real sshd, real login, one warm connection for each user. It enters
 * by the host's loopback, so a cut cable does not cut it, and it opens no address to the host's network.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecResult } from '../../../src/runtime/exec.ts';
import { until } from '../until.ts';
import { inCgroup } from './cgroup.ts';
import { attempt } from './run-command.ts';

export interface SshLineOptions {
  hostName: string;
  user: string;
  /** Private key that the host's user accepts. */
  key: string;
  knownHosts: string;
  /** Folder for the control socket; its path must be short. */
  folder: string;
  cgroup: string;
}

/** A command that goes on; its lines as they come. Ends with its connection. */
export interface RunningCommand {
  onLine(listener: (line: string) => void): void;
  readonly hasEnded: boolean;
  /** Its last words on stderr. */
  readonly stderr: string;
  stop(): Promise<void>;
}

export class SshLine {
  readonly #options: SshLineOptions;
  readonly #socket: string;
  #master: ChildProcess | null = null;

  constructor(options: SshLineOptions) {
    this.#options = options;
    this.#socket = join(options.folder, options.user);
  }

  /** Opens the connection into the host whose first process is `leader`; throws after the deadline. */
  async open(leader: number, timeoutMs: number): Promise<void> {
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
    await until(
      async () => {
        if (!this.isOpen) this.#master = this.#dial(leader);
        const check = await attempt(['ssh', '-F', 'none', '-S', this.#socket, '-O', 'check', 'host']);
        return check.exitCode === 0;
      },
      { timeoutMs },
    );
  }

  /** Whether the connection stands. */
  get isOpen(): boolean {
    return this.#master !== null && this.#master.exitCode === null && this.#master.signalCode === null;
  }

  /** Runs `command` by the user's login shell. An ssh failure is exit 255 and its words on stderr. */
  async run(command: string, options: { input?: string | Uint8Array; timeoutMs?: number } = {}): Promise<ExecResult> {
    const argv = ['ssh', '-F', 'none', '-S', this.#socket, '-o', 'BatchMode=yes', '-o', 'ProxyCommand=false'];
    return attempt([...argv, `${this.#options.user}@host`, '--', command], { timeoutMs: 30_000, ...options });
  }

  /** Starts `command` by the user's login shell, and leaves it running. */
  start(command: string): RunningCommand {
    const argv = ['-F', 'none', '-S', this.#socket, '-o', 'BatchMode=yes', '-o', 'ProxyCommand=false'];
    const child = spawn('ssh', [...argv, `${this.#options.user}@host`, '--', command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines = createInterface({ input: child.stdout });
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-10_000);
    });
    return {
      onLine: (listener) => void lines.on('line', listener),
      get hasEnded() {
        return hasEnded();
      },
      get stderr() {
        return stderr;
      },
      stop: async () => {
        if (hasEnded()) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      },
    };
  }

  async close(): Promise<void> {
    const master = this.#master;
    this.#master = null;
    if (master === null || master.exitCode !== null || master.signalCode !== null) return;
    master.kill('SIGKILL');
    await once(master, 'exit');
  }

  #dial(leader: number): ChildProcess {
    const { hostName, user, key, knownHosts, cgroup } = this.#options;
    // One that a killed master left would make ssh serve nobody.
    rmSync(this.#socket, { force: true });
    const options = {
      BatchMode: 'yes',
      IdentitiesOnly: 'yes',
      IdentityFile: key,
      UserKnownHostsFile: knownHosts,
      StrictHostKeyChecking: 'yes',
      HostKeyAlias: hostName,
      ConnectTimeout: '5',
      LogLevel: 'ERROR',
      ControlMaster: 'yes',
      ControlPath: this.#socket,
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const ssh = ['nsenter', '-t', String(leader), '-n', 'ssh', '-F', 'none', '-N', ...flags, `${user}@127.0.0.1`];
    const [file, ...args] = inCgroup(cgroup, ssh);
    return spawn(file!, args, { stdio: 'ignore', detached: true });
  }
}
