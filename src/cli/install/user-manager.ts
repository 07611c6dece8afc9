/** The systemd manager of this user, through `systemctl --user` in an environment that can only mean this user. */
import { lstatSync } from 'node:fs';
import { userInfo } from 'node:os';
import { FleetError } from '../../domain/errors.ts';
import { type ExecResult, exec } from '../../runtime/exec.ts';

const CALL_TIMEOUT_MS = 30_000;

export class UserManager {
  readonly #uid = userInfo().uid;

  /** Whether units can be managed: its bus is there and it answers. */
  async isReachable(): Promise<boolean> {
    if (!isSocket(`/run/user/${this.#uid}/bus`) && !isSocket(`/run/user/${this.#uid}/systemd/private`)) return false;
    return (await this.#call(['show', '-p', 'Version'])).exitCode === 0;
  }

  reload(): Promise<void> {
    return this.#must(['daemon-reload']);
  }

  enable(unit: string): Promise<void> {
    return this.#must(['enable', '--quiet', unit]);
  }

  disable(unit: string): Promise<void> {
    return this.#must(['disable', '--quiet', unit]);
  }

  start(unit: string): Promise<void> {
    return this.#must(['start', unit]);
  }

  restart(unit: string): Promise<void> {
    return this.#must(['restart', unit]);
  }

  stop(unit: string): Promise<void> {
    return this.#must(['stop', unit]);
  }

  /** Properties by name; a unit that does not exist says so in LoadState. */
  async show(unit: string, properties: readonly string[]): Promise<Record<string, string>> {
    const result = await this.#call(['show', unit, ...properties.flatMap((name) => ['-p', name])]);
    if (result.exitCode !== 0) throw failure(['show', unit], result);
    return Object.fromEntries(
      result.stdout
        .split('\n')
        .filter((line) => line.includes('='))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  async #must(args: readonly string[]): Promise<void> {
    const result = await this.#call(args);
    if (result.exitCode !== 0) throw failure(args, result);
  }

  #call(args: readonly string[]): Promise<ExecResult> {
    const { DBUS_SESSION_BUS_ADDRESS: _, ...env } = process.env;
    return exec('systemctl', ['--user', ...args], {
      timeoutMs: CALL_TIMEOUT_MS,
      cleanEnv: true,
      env: { ...(env as Record<string, string>), XDG_RUNTIME_DIR: `/run/user/${this.#uid}`, LC_ALL: 'C' },
    });
  }
}

const isSocket = (path: string): boolean => {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
};

const failure = (args: readonly string[], result: ExecResult): FleetError => {
  const why = result.spawnError ?? (result.timedOut ? 'no answer in time' : result.stderr.trim().split('\n')[0]);
  return new FleetError('UNAVAILABLE', `systemctl --user ${args.join(' ')} failed: ${why || 'no reason given'}`);
};
