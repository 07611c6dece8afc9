/**
 * Deploys and removals over a real D-Bus, a real private tmux server and a real home folder: units are files there, which the
 * scripted manager loads at a reload, and whose jobs make and end real sessions as the launcher would.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Variant } from '@jellybrick/dbus-next';
import type { OrdersOptions } from '../../../../host-agent/command/orders.ts';
import { DesiredState } from '../../../../host-agent/desired/desired-state.ts';
import type { DesiredPorts } from '../../../../host-agent/desired/ports.ts';
import type { UnitReading } from '../../../../host-agent/inventory/source.ts';
import { launchDigestNow, launchDigestThen } from '../../../../host-agent/launch/launch-digest.ts';
import {
  agentLaunchPaths,
  envFile,
  type LaunchGround,
  unitFile,
  unitsFolder,
} from '../../../../host-agent/launch/launch-paths.ts';
import type { LifecyclePorts } from '../../../../host-agent/lifecycle/ports.ts';
import { UnitFiles } from '../../../../host-agent/systemd/unit-files.ts';
import { FleetError } from '../../../../src/domain/errors.ts';
import type { Roster, RosterAgent } from '../../../../src/domain/roster.ts';
import { parseRoster } from '../../../../src/roster/parse.ts';
import type { LingerOutcome } from '../../../../src/runtime/linger.ts';
import { LifecycleGround, unitOf } from '../lifecycle/lifecycle-ground.ts';

const UNIT = /^mosaic-agent@(.+)\.service$/;
const TEMPLATE = 'mosaic-agent@.service';

/** Where a host-agent can be cut off. */
export type Cut = 'refresh' | 'enable' | 'disable' | 'reload' | 'linger';

export class DesiredGround extends LifecycleGround {
  readonly home = join(this.folder, 'home');
  readonly ground: LaunchGround = {
    home: this.home,
    state: join(this.home, '.local/state/fleet'),
    share: join(this.home, '.local/share/fleet'),
    mosaicHome: join(this.home, '.config/mosaic'),
    tmuxTmpdir: '/tmp',
  };
  lingering: LingerOutcome['state'] = 'on';
  /** What a preflight would find. */
  hindrance: string | null = null;
  /** The next step of that kind never comes to be: its host-agent ends there. */
  cutAt: Cut | null = null;
  #cutOff = Promise.withResolvers<never>();
  /** Of the newest host-agent. */
  desired!: DesiredState;
  /** Units that come up at boot. */
  readonly enabled = new Set<string>();

  override async start(): Promise<void> {
    await super.start();
    this.control = 'deploy';
    for (const folder of [join(this.ground.mosaicHome, 'fleet/agents'), unitsFolder(this.home)])
      mkdirSync(folder, { recursive: true });
    const job = this.manager.job;
    this.manager.job = async (verb, unit) => {
      const agent = UNIT.exec(unit)?.[1] ?? '';
      if (verb === 'start') await this.prepare(agent);
      const result = await job(verb, unit);
      this.load(agent, verb === 'start' ? { ActiveEnterTimestamp: new Variant('t', BigInt(Date.now()) * 1_000n) } : {});
      return result;
    };
    this.manager.unitFiles = (verb, names) => {
      if (verb === 'reload') this.reload();
      for (const name of names) {
        if (verb === 'enable') this.enabled.add(name);
        else this.enabled.delete(name);
      }
      for (const [name, unit] of this.manager.units) unit.fileState = this.enabled.has(name) ? 'enabled' : 'disabled';
    };
  }

  /** As the launcher's: it keeps with what the agent was launched. */
  async prepare(agent: string): Promise<void> {
    const entry = this.roster()?.agents.find(({ name }) => name === agent);
    const paths = agentLaunchPaths(this.ground, agent);
    if (entry === undefined || !existsSync(unitFile(this.home, agent))) return;
    mkdirSync(paths.folder, { recursive: true });
    writeFileSync(paths.digest, `${await launchDigestNow(entry, this.ground)}\n`);
  }

  /** What systemd knows of a unit from its file. */
  load(agent: string, more: Record<string, Variant> = {}): void {
    const { activeState } = this.manager.units.get(unitOf(agent)) ?? { activeState: 'inactive' };
    this.put(agent, activeState, { NeedDaemonReload: new Variant('b', false), ...more });
    this.manager.set(unitOf(agent), { fileState: this.enabled.has(unitOf(agent)) ? 'enabled' : 'disabled' });
  }

  reload(): void {
    const files = readdirSync(unitsFolder(this.home));
    for (const name of files) {
      const agent = UNIT.exec(name)?.[1];
      if (agent !== undefined) this.load(agent);
    }
    if (files.includes(TEMPLATE)) return;
    for (const [name, { activeState }] of this.manager.units)
      if (!files.includes(name) && activeState === 'inactive') this.manager.units.delete(name);
  }

  /** An operator's template and holder, and an agent that runs by them. */
  operatorsOwn(agent: string): void {
    writeFileSync(join(unitsFolder(this.home), TEMPLATE), '[Service]\nType=oneshot\n');
    this.manager.set(TEMPLATE, { fileState: 'disabled', loaded: false });
    this.begin(agent);
    this.put(agent, 'active', { NeedDaemonReload: new Variant('b', false) });
    this.manager.set(unitOf(agent), { fileState: 'disabled' });
  }

  write(text: string): void {
    writeFileSync(join(this.ground.mosaicHome, 'fleet/roster.yaml'), text);
    for (const { name } of this.roster()?.agents ?? []) if (!this.over.has(name)) this.over.set(name, {});
  }

  roster(): Roster | null {
    const path = join(this.ground.mosaicHome, 'fleet/roster.yaml');
    return existsSync(path) ? parseRoster(readFileSync(path, 'utf8'), path).roster : null;
  }

  unitText(agent: string): string | null {
    const path = unitFile(this.home, agent);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  }

  envText(agent: string): string {
    return readFileSync(envFile(this.ground, agent), 'utf8');
  }

  /** The host-agent that waits at its cut ends there. */
  cut(): void {
    this.cutAt = null;
    this.#cutOff.reject(new FleetError('UNAVAILABLE', 'cut off'));
    this.#cutOff = Promise.withResolvers<never>();
  }

  /** Whether a host-agent waits at its cut. */
  isCut = false;

  async #pass(step: Cut): Promise<void> {
    if (this.cutAt !== step) return;
    this.isCut = true;
    await this.#cutOff.promise.finally(() => {
      this.isCut = false;
    });
  }

  #seen(): Map<string, UnitReading> {
    return new Map(
      [...this.manager.units].map(([name, { activeState, subState, fileState }]) => [
        name,
        {
          name,
          activeState,
          subState,
          unitFileState: fileState,
          result: null,
          mainPid: null,
          restarts: null,
          sinceMs: null,
          needsReload: false,
          fragmentPath: null,
        },
      ]),
    );
  }

  protected override beside(lifecycle: LifecyclePorts): Partial<OrdersOptions> {
    const files = new UnitFiles({ busPath: this.daemon.socket });
    const ports: DesiredPorts = {
      lifecycle,
      unitFiles: {
        read: (name) => files.read(name),
        state: (name) => files.state(name),
        enable: async (names) => {
          await this.#pass('enable');
          await files.enable(names);
        },
        disable: async (names) => {
          await this.#pass('disable');
          await files.disable(names);
        },
        reload: async () => {
          await this.#pass('reload');
          await files.reload();
        },
        resetFailed: (name) => files.resetFailed(name),
      },
      unitsSeen: () => this.#seen(),
      ground: this.ground,
      here: () => ({ hostNames: ['W-jarvis'], user: 'jarvis' }),
      socketPath: (name) => this.tmux.socket(name ?? 'default'),
      beatsFolder: () => join(this.ground.mosaicHome, 'fleet/run'),
      refreshRoster: () => this.#pass('refresh'),
      linger: {
        isOn: () => this.lingering === 'on',
        ensure: async () => {
          await this.#pass('linger');
          if (this.lingering === 'refused') return { state: 'refused', command: 'sudo loginctl enable-linger jarvis' };
          this.lingering = 'on';
          return { state: 'enabled' };
        },
      },
      launches: {
        digestNow: (agent: RosterAgent) => launchDigestNow(agent, this.ground),
        digestThen: (agent) => launchDigestThen(this.ground, agent),
        hindrance: async () => this.hindrance,
      },
      nowMs: () => Date.UTC(2026, 0, 2),
    };
    this.desired = new DesiredState(ports);
    return { desired: this.desired };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    rmSync(this.home, { recursive: true, force: true });
  }
}
