/** What the far side does for an upgrade, by one script of plain sh: what it goes back with must not need what is new. */
import { createHash } from 'node:crypto';
import { FleetError } from '../../domain/errors.ts';
import { daemonUnitText, HOST_AGENT_UNIT } from '../install/user-units.ts';
import { must } from './add-context.ts';
import { remoteScript, scriptText } from './remote-script.ts';
import type { SshSession } from './ssh-session.ts';

/** Stopping a host-agent takes up to 20 s where it does not end by itself. */
const SCRIPT_TIMEOUT_MS = 60_000;
/** So often systemd has started it anew: it will not come up. */
const HOPELESS_RESTARTS = 3;

export const unitSha256 = (id: string): string =>
  createHash('sha256').update(daemonUnitText(HOST_AGENT_UNIT, id)).digest('hex');

export class VersionSwitch {
  readonly #session: SshSession;
  readonly #signal: AbortSignal;

  constructor(session: SshSession, signal: AbortSignal) {
    this.#session = session;
    this.#signal = signal;
  }

  /** Turns `current` and the unit to a version that is there. Unsettled after so many seconds, the host goes back. */
  async to(id: string, options: { restart: boolean; guardSeconds: number }): Promise<void> {
    const values = {
      ID: id,
      UNIT: daemonUnitText(HOST_AGENT_UNIT, id).trimEnd(),
      RESTART: options.restart ? 'yes' : 'no',
      SELF: scriptText('upgrade').trimEnd(),
      GUARD_SECONDS: String(options.guardSeconds),
    };
    await must(this.#run('switch', values), `${id} cannot be started`);
  }

  /** Why the host-agent will not come up; null while that is not certain. */
  async failure(): Promise<string | null> {
    const { stdout } = await must(this.#run('look'), 'its host-agent cannot be looked at');
    const said = Object.fromEntries(
      stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    if (said.ActiveState !== 'failed' && Number(said.NRestarts ?? 0) < HOPELESS_RESTARTS) return null;
    const words = said.Words?.replace(/^fleet-host-agent: /, '');
    return words || `it ends at once${said.ExecMainStatus ? `, with exit code ${said.ExecMainStatus}` : ''}`;
  }

  /** From here on nothing goes back. */
  async settle(): Promise<void> {
    await must(this.#run('settle'), 'the upgrade was not kept');
  }

  /** The version that runs again; null where there was nothing to go back from. */
  async rollBack(): Promise<string | null> {
    const { stdout } = await must(this.#run('roll-back'), 'it cannot go back');
    return stdout.trim() || null;
  }

  /** Versions that nothing uses any more. Throws what that version's own program says. */
  async prune(id: string): Promise<void> {
    const script = remoteScript('run-fleet', { ID: id, ARGS: 'host prune' });
    const result = await this.#session.run(script, { timeoutMs: SCRIPT_TIMEOUT_MS, signal: this.#signal });
    if (result.exitCode !== 0) throw new FleetError('INTERNAL', result.stderr.trim().split('\n').at(-1) || 'no reason');
  }

  #run(act: 'switch' | 'look' | 'settle' | 'roll-back', values: Record<string, string> = {}) {
    const script = remoteScript('upgrade', { DO: act, ...values });
    return this.#session.run(script, { timeoutMs: SCRIPT_TIMEOUT_MS, signal: this.#signal });
  }
}
