/** Lifecycle orders over a real D-Bus and a real private tmux server: a unit's job makes or ends a real session. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Variant } from '@jellybrick/dbus-next';
import type { Orders, OrdersOptions } from '../../../../host-agent/command/orders.ts';
import { PaneLocks } from '../../../../host-agent/command/pane-lock.ts';
import { typeReset } from '../../../../host-agent/command/type-reset.ts';
import type { TmuxPane, TmuxServer } from '../../../../host-agent/inventory/source.ts';
import { Lifecycle } from '../../../../host-agent/lifecycle/lifecycle.ts';
import type { EndedRun, LifecyclePorts } from '../../../../host-agent/lifecycle/ports.ts';
import { UnitJobs } from '../../../../host-agent/systemd/unit-jobs.ts';
import { SessionEnd } from '../../../../host-agent/tmux/session-end.ts';
import { withZombie } from '../../../../host-agent/tmux/zombie-pane.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import { HOLDER_UNIT } from '../../../../src/domain/holder.ts';
import { resetCommandOf } from '../../../../src/domain/runtime-reset.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { processStartTicks } from '../../../../src/runtime/process-start.ts';
import type { OrderOutcome } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { PrivateTmux } from '../../../helpers/tmux-server.ts';
import { BusDaemon, ServedManager } from '../../systemd/served-manager.ts';
import { fromHere, type KnownAgent, realOrders, realPorts } from '../command/order-ground.ts';

const SERVER = 'fleet';
const UID = process.getuid!();
const PATIENCE_MS = 30_000;
export const unitOf = (agent: string): string => `mosaic-agent@${agent}.service`;

export interface Told {
  id?: string;
  key?: string;
  force?: boolean;
  adopt?: boolean;
  rosterDigest?: string;
  migrate?: boolean;
  purge?: boolean;
  timeoutMs?: number;
  actor?: string;
}

export class LifecycleGround {
  readonly folder = mkdtempSync(join(tmpdir(), 'fleet-life-'));
  readonly tmux = new PrivateTmux();
  readonly daemon = new BusDaemon(this.folder);
  readonly manager = new ServedManager(this.daemon.socket);
  /** Over the row of the same agent. */
  readonly over = new Map<string, Partial<AgentRow>>();
  /** What the launcher kept of an agent's last run, and of its last preflight. */
  readonly runs = new Map<string, EndedRun>();
  readonly hindrances = new Map<string, string>();
  /** Pids of panes that rows have shown. */
  readonly shown = new Set<number>();
  /** The roster's own reset commands. */
  readonly resetCommands = new Map<string, string>();
  control: 'send' | 'lifecycle' | 'deploy' = 'lifecycle';
  readonly #locks = new PaneLocks(join(this.folder, 'turns'));
  readonly #orders: Orders[] = [];

  /** A holder keeps the server, as in the fleets that exist. */
  async start(): Promise<void> {
    await this.daemon.start();
    await this.manager.start();
    this.tmux.session(SERVER, '_holder', 'exec sleep 1000');
    // As a unit that starts and kills its session.
    this.manager.job = (verb, unit) => {
      const agent = unit.replace(/^mosaic-agent@(.*)\.service$/, '$1');
      if (verb === 'start') this.begin(agent);
      else if (this.sessions().includes(agent)) this.run('kill-session', '-t', `=${agent}`);
      this.put(agent, verb === 'start' ? 'active' : 'inactive');
      return 'done';
    };
  }

  /** The oneshot unit of that agent, as it is now. */
  put(agent: string, activeState: string, more: Record<string, Variant> = {}): void {
    const known = this.manager.units.get(unitOf(agent))?.more;
    const oneshot = { Type: new Variant('s', 'oneshot') };
    this.manager.set(unitOf(agent), { activeState, mainPid: 0, more: { ...oneshot, ...known, ...more } });
  }

  begin(agent: string, command = 'exec sleep 1000'): void {
    this.tmux.session(SERVER, agent, command);
  }

  run(...args: string[]): string {
    return this.tmux.run(SERVER, ...args);
  }

  sessions(): string[] {
    return this.run('list-sessions', '-F', '#{session_name}').split('\n');
  }

  panePid(agent: string): number {
    return Number(this.run('list-panes', '-t', `=${agent}:`, '-F', '#{pane_pid}'));
  }

  /** Verbs and units that systemd was told, in their order. */
  jobs(): string[] {
    return this.manager.calls
      .filter((call) => /^(Start|Stop|Restart)Unit/.test(call))
      .map((call) => call.split(' ')[0] as string);
  }

  /** Tickets of those who have, or wait for, the turn of an agent. */
  waiting(): string[] {
    const turns = join(this.folder, 'turns');
    return (existsSync(turns) ? readdirSync(turns, { recursive: true }) : [])
      .map(String)
      .filter((name) => name.includes('ticket-'));
  }

  /** A host-agent's orders; several share the turns of an agent. `journal` is its own. */
  orders(journal = 'orders.journal'): Orders {
    const known = { get: (key: string) => this.#known(key) } as ReadonlyMap<string, KnownAgent>;
    const ports = realPorts(this.folder, known);
    const lifecycle: LifecyclePorts = {
      rows: { row: (key) => this.#row(key), all: () => this.#rows() },
      units: new UnitJobs({ busPath: this.daemon.socket }),
      unitsProblem: () => null,
      sessions: new SessionEnd({ tmuxPath: 'tmux', uid: UID }),
      launches: {
        lastRun: async (agent) => this.runs.get(agent) ?? null,
        hindrance: async (agent) => this.hindrances.get(agent) ?? null,
      },
      reset: (key, force, run) =>
        typeReset(ports, key, { force, commandOf: (runtime) => resetCommandOf(runtime, this.resetCommands) }, run),
      servers: () => this.#servers(),
      startOf: processStartTicks,
      isHolder: (session) => session === '_holder',
      holder: () => ({ unit: HOLDER_UNIT, socket: this.tmux.socket(SERVER), session: '_holder' }),
      unitOf,
      turn: (of, signal, who) => this.#locks.take({ socket: 'unit', paneId: of, panePid: 0 }, signal, who),
      clock: systemClock,
    };
    const policy = { control: this.control, federated: 'observe', takeover: true, federatedTakeover: false } as const;
    const orders = realOrders(this.folder, known, {
      lifecycle: new Lifecycle(lifecycle),
      ...this.beside(lifecycle),
      policy: () => ({ ...policy, control: this.control, problem: null }),
      journalPath: join(this.folder, journal),
    });
    this.#orders.push(orders);
    return orders;
  }

  /** Other orders of the same host-agent. */
  protected beside(_lifecycle: LifecyclePorts): Partial<OrdersOptions> {
    return {};
  }

  tell(
    orders: Orders,
    action: string,
    agent: string,
    { key = `roster:${agent}`, actor, ...over }: Told = {},
  ): Promise<OrderOutcome> {
    const target = { hostAgent: 'W-jarvis/jarvis', key, paneId: '', panePid: 0 };
    const plain = { force: false, rosterDigest: '', adopt: false, migrate: false, purge: false };
    const request = { ...plain, id: newId(), timeoutMs: PATIENCE_MS, ...over };
    const context = fromHere();
    const origin = { ...context.origin, ...(actor ? { actor } : {}) };
    return orders.controlAgent({ ...request, target, action }, { ...context, origin });
  }

  /** Key of a session that no roster names. */
  keyOf(session: string): string {
    const sessionId = this.run('display-message', '-p', '-t', `=${session}:`, '#{session_id}');
    return `tmux:${this.tmux.socket(SERVER)}:${this.serverPid()}:17:${sessionId}`;
  }

  serverPid(): number {
    return Number(this.run('display-message', '-p', '#{pid}'));
  }

  #row(key: string): AgentRow | undefined {
    const id = /^tmux:.*:(\$\d+)$/.exec(key)?.[1];
    const line = this.#panes().find(([name, sessionId]) =>
      id === undefined ? `roster:${name}` === key : sessionId === id,
    );
    const agent = id === undefined ? key.replace('roster:', '') : (line?.[0] as string);
    const isKnown =
      id === undefined ? this.manager.units.has(unitOf(agent)) || this.over.has(agent) : line !== undefined;
    if (!isKnown) return undefined;
    const [, sessionId = '', paneId = '', pid = '', dead = '', status = '', group = ''] = line ?? [];
    const groupMembers = group === '' ? [] : this.sessions().filter((name) => name.startsWith(group));
    const place = { socket: this.tmux.socket(SERVER), session: agent, sessionId, paneId, pid: Number(pid) };
    const told = {
      pid: Number(pid),
      dead: dead === '1',
      exitStatus: status === '' ? null : Number(status),
      signal: null,
    };
    // As the rows of a host-agent: tmux can lose the end of a process.
    const { dead: isDead, exitStatus, signal } = withZombie(told as TmuxPane, '/proc');
    const end = { dead: isDead, exitStatus, signal };
    const tmux = line
      ? ({ ...place, ...end, group: group || null, groupMembers } as unknown as AgentRow['tmux'])
      : null;
    if (tmux !== null) this.shown.add(Number(pid));
    const readiness = tmux === null || end.dead ? 'dead' : 'working';
    const managed = id === undefined;
    return agentRow({ key, agent, managed, lifecycle: 'core', tmux, readiness, ...this.over.get(agent) });
  }

  #rows(): AgentRow[] {
    const agents = [...this.manager.units.keys()].flatMap(
      (unit) => /^mosaic-agent@(.*)\.service$/.exec(unit)?.[1] ?? [],
    );
    return agents.flatMap((agent) => this.#row(`roster:${agent}`) ?? []);
  }

  #known(key: string): KnownAgent | undefined {
    const row = this.#row(key);
    if (!row?.tmux || row.tmux.dead) return undefined;
    const { socket, sessionId, paneId, pid } = row.tmux;
    return { row, pane: { key, socket, sessionId, paneId: paneId as string, panePid: pid as number } };
  }

  /** Name, session id, pane id, pane pid, dead, its status, group. */
  #panes(): string[][] {
    const format =
      '#{session_name}|#{session_id}|#{pane_id}|#{pane_pid}|#{pane_dead}|#{pane_dead_status}|#{session_group}';
    return this.#ask('list-panes', '-a', '-F', format).map((each) => each.split('|'));
  }

  /** Nothing where there is no server. */
  #ask(...args: string[]): string[] {
    try {
      return this.run(...args).split('\n');
    } catch {
      return [];
    }
  }

  #servers(): TmuxServer[] {
    const [pid] = this.#ask('display-message', '-p', '#{pid}');
    if (pid === undefined) return [];
    const sessions = this.#ask('list-sessions', '-F', '#{session_id} #{session_name}').map((line) => {
      const [id, name] = line.split(' ');
      return { id, name };
    });
    return [{ socket: this.tmux.socket(SERVER), pid: Number(pid), problem: null, sessions } as TmuxServer];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#orders.map((orders) => orders.stopped()));
    this.manager.stop();
    await this.daemon.stop();
    this.tmux.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let ids = 0;
export const newId = (): string => {
  ids += 1;
  return `life-${process.pid}-${ids}`;
};
