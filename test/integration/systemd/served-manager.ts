/**
 * A private dbus-daemon, and on it a service that answers as a systemd manager does for what this program asks.
 * The real manager is met on the hosts of the e2e lane; here it is about the bus coming, going and being odd.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Message, type MessageBus, MessageType, sessionBus, Variant } from '@jellybrick/dbus-next';
import { until } from '../../helpers/until.ts';

export class BusDaemon {
  readonly socket: string;
  readonly #folder: string;
  #daemon: ChildProcess | null = null;

  constructor(folder: string) {
    this.#folder = folder;
    this.socket = join(folder, 'bus');
  }

  async start(): Promise<void> {
    const config = join(this.#folder, 'bus.conf');
    writeFileSync(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
        "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig><type>session</type><listen>unix:path=${this.socket}</listen><auth>EXTERNAL</auth>
      <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
      </busconfig>`,
    );
    const daemon = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address=1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#daemon = daemon;
    let ready = false;
    daemon.stdout!.on('data', () => {
      ready = true;
    });
    await until(() => ready, { timeoutMs: 10_000 });
  }

  /** As when the user manager ends: connections break, the socket goes. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const gone = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await gone;
  }

  freeze(): void {
    this.#daemon!.kill('SIGSTOP');
  }
  thaw(): void {
    this.#daemon!.kill('SIGCONT');
  }
}

export interface ServedUnit {
  activeState: string;
  subState: string;
  mainPid: number;
  loaded: boolean;
  fileState: string | null;
  /** Answers to further properties, by name. */
  more?: Record<string, Variant>;
  /** Pids of its cgroup. */
  processes?: number[];
}

export type JobVerb = 'start' | 'stop' | 'restart';
/** What a job does to its unit; its answer is systemd's word for how it ended. null: it never ends. */
export type Job = (verb: JobVerb, unit: string) => Promise<string | null> | string | null;

const SYSTEMD = 'org.freedesktop.systemd1';
const ROOT = '/org/freedesktop/systemd1';

export class ServedManager {
  readonly units = new Map<string, ServedUnit>();
  readonly calls: string[] = [];
  /** StartUnit, StopUnit and RestartUnit. */
  job: Job = () => 'done';
  /** What Reload, EnableUnitFiles and DisableUnitFiles do; the names are empty for a reload. */
  unitFiles: (verb: 'reload' | 'enable' | 'disable', names: readonly string[]) => void = () => {};
  #jobs = 0;
  readonly #socket: string;
  #bus: MessageBus | null = null;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async start(): Promise<void> {
    const bus = sessionBus({ busAddress: `unix:path=${this.#socket}` });
    bus.on('error' as 'connect', () => {});
    this.#bus = bus;
    bus.addMethodHandler((message) => this.#answer(bus, message));
    await bus.requestName(SYSTEMD);
  }

  stop(): void {
    this.#bus?.disconnect();
    this.#bus = null;
  }

  set(name: string, unit: Partial<ServedUnit>): void {
    const known = { activeState: 'active', subState: 'running', mainPid: 7, loaded: true, fileState: 'enabled' };
    this.units.set(name, { ...known, ...this.units.get(name), ...unit });
  }

  signalManager(member: string, signature: string, body: unknown[]): void {
    this.#bus!.send(Message.newSignal(ROOT, `${SYSTEMD}.Manager`, member, signature, body));
  }

  signalChanged(name: string): void {
    const body = [`${SYSTEMD}.Unit`, {}, []];
    this.#bus!.send(
      Message.newSignal(pathOf(name), 'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as', body),
    );
  }

  #answer(bus: MessageBus, message: Message): boolean {
    if (message.type !== MessageType.METHOD_CALL || !message.path.startsWith(ROOT)) return false;
    const asked = message.member === 'Get' ? message.body[1] : (message.body.at(-1) ?? '');
    this.calls.push(`${message.member} ${asked}`);
    const [signature, value] = this.#value(message) ?? [];
    const verb = ({ StartUnit: 'start', StopUnit: 'stop', RestartUnit: 'restart' } as const)[message.member ?? ''];
    if (verb !== undefined && signature !== undefined)
      void this.#runJob(verb, message.body[0] as string, String(value));
    if (signature === undefined) bus.send(Message.newError(message, `${SYSTEMD}.NoSuchUnit`, 'no such thing'));
    else bus.send(Message.newMethodReturn(message, signature, signature === '' ? [] : [value]));
    return true;
  }

  async #runJob(verb: JobVerb, unit: string, path: string): Promise<void> {
    const result = await this.job(verb, unit);
    if (result !== null) this.signalManager('JobRemoved', 'uoss', [this.#jobs, path, unit, result]);
  }

  #value({ member, path, body }: Message): [signature: string, value?: unknown] | null {
    const matching = () => {
      const patterns = (body[1] as string[]).map((pattern) => new RegExp(`^${pattern.replace('*', '.*')}$`));
      return [...this.units].filter(([name]) => patterns.some((pattern) => pattern.test(name)));
    };
    if (member === 'Subscribe') return [''];
    if (member === 'ListUnitsByPatterns')
      return ['a(ssssssouso)', matching().flatMap(([name, unit]) => (unit.loaded ? [rowOf(name, unit)] : []))];
    if (member === 'ListUnitFilesByPatterns')
      return [
        'a(ss)',
        matching().flatMap(([name, { fileState }]) => (fileState ? [[`/units/${name}`, fileState]] : [])),
      ];
    if (member === 'GetUnitProcesses') {
      const pids = this.units.get(body[0] as string)?.processes ?? [];
      return ['a(sus)', pids.map((pid) => ['/unit', pid, 'words'])];
    }
    if (member === 'LoadUnit') return ['o', pathOf(body[0] as string)];
    const files = ({ Reload: 'reload', EnableUnitFiles: 'enable', DisableUnitFiles: 'disable' } as const)[member ?? ''];
    if (files !== undefined) {
      this.unitFiles(files, (body[0] as string[] | undefined) ?? []);
      return [''];
    }
    if (member === 'ResetFailedUnit') return this.units.has(body[0] as string) ? [''] : null;
    if (member === 'StartUnit' || member === 'StopUnit' || member === 'RestartUnit') {
      if (!this.units.has(body[0] as string)) return null;
      this.#jobs += 1;
      return ['o', `${ROOT}/job/${this.#jobs}`];
    }
    if (member === 'GetUnitFileState') {
      const state = this.units.get(body[0] as string)?.fileState;
      return state ? ['s', state] : null;
    }
    const unit = [...this.units].find(([name]) => pathOf(name) === path)?.[1];
    if (unit === undefined && body[1] === 'LoadState') return ['v', new Variant('s', 'not-found')];
    const property = unit && propertyOf(unit, body[1] as string);
    return property ? ['v', property] : null;
  }
}

const rowOf = (name: string, unit: ServedUnit): unknown[] => {
  return [name, 'words', 'loaded', unit.activeState, unit.subState, '', pathOf(name), 0, '', '/'];
};

const propertyOf = (unit: ServedUnit, name: string): Variant | null => {
  const more = unit.more?.[name];
  if (more !== undefined) return more;
  if (name === 'LoadState') return new Variant('s', 'loaded');
  if (name === 'ActiveState') return new Variant('s', unit.activeState);
  if (name === 'SubState') return new Variant('s', unit.subState);
  if (name === 'MainPID') return new Variant('u', unit.mainPid);
  if (name === 'NRestarts') return new Variant('u', 2);
  if (name === 'Result') return new Variant('s', 'success');
  if (name === 'FragmentPath') return new Variant('s', '/units/x');
  if (name === 'NeedDaemonReload') return new Variant('b', true);
  if (name === 'StateChangeTimestamp') return new Variant('t', 1_767_225_600_123_456n);
  return null;
};

const pathOf = (name: string): string =>
  `${ROOT}/unit/${name.replace(/[^A-Za-z0-9]/g, (char) => `_${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}`;
