/** Lifecycle orders over a real D-Bus and a real private tmux server: a unit's job makes or ends a real session. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Variant } from '@jellybrick/dbus-next';
import type { Orders } from '../../../../host-agent/command/orders.ts';
import { PaneLocks } from '../../../../host-agent/command/pane-lock.ts';
import type { TmuxServer } from '../../../../host-agent/inventory/source.ts';
import { Lifecycle } from '../../../../host-agent/lifecycle/lifecycle.ts';
import { UnitJobs } from '../../../../host-agent/systemd/unit-jobs.ts';
import { SessionEnd } from '../../../../host-agent/tmux/session-end.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { processStartTicks } from '../../../../src/runtime/process-start.ts';
import type { OrderOutcome } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { PrivateTmux } from '../../../helpers/tmux-server.ts';
import { BusDaemon, ServedManager } from '../../systemd/served-manager.ts';
import { fromHere, realOrders } from '../command/order-ground.ts';

const SERVER = 'fleet';
const UID = process.getuid!();
const PATIENCE_MS = 30_000;
export const unitOf = (agent: string): string => `mosaic-agent@${agent}.service`;

export class LifecycleGround {
  readonly folder = mkdtempSync(join(tmpdir(), 'fleet-life-'));
  readonly tmux = new PrivateTmux();
  readonly daemon = new BusDaemon(this.folder);
  readonly manager = new ServedManager(this.daemon.socket);
  /** Over the row of the same agent. */
  readonly over = new Map<string, Partial<AgentRow>>();
  control: 'send' | 'lifecycle' = 'lifecycle';
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
      .filter((call) => /^(Start|Stop)Unit/.test(call))
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
    const lifecycle = new Lifecycle({
      rows: { row: (key) => this.#row(key), all: () => [] },
      units: new UnitJobs({ busPath: this.daemon.socket }),
      unitsProblem: () => null,
      sessions: new SessionEnd({ tmuxPath: 'tmux', uid: UID }),
      servers: () => [this.#server()],
      startOf: processStartTicks,
      isHolder: (session) => session === '_holder',
      unitOf,
      turn: (agent, signal) => this.#locks.take({ socket: 'unit', paneId: unitOf(agent), panePid: 0 }, signal),
      clock: systemClock,
    });
    const policy = { control: this.control, federated: 'observe', takeover: true, federatedTakeover: false } as const;
    const orders = realOrders(this.folder, new Map(), {
      lifecycle,
      policy: () => ({ ...policy, control: this.control, problem: null }),
      journalPath: join(this.folder, journal),
    });
    this.#orders.push(orders);
    return orders;
  }

  tell(
    orders: Orders,
    action: string,
    agent: string,
    over: { id?: string; force?: boolean; timeoutMs?: number } = {},
  ): Promise<OrderOutcome> {
    const target = { hostAgent: 'W-jarvis/jarvis', key: `roster:${agent}`, paneId: '', panePid: 0 };
    const plain = { force: false, rosterDigest: '', adopt: false, migrate: false, purge: false };
    const request = { ...plain, id: newId(), timeoutMs: PATIENCE_MS, ...over };
    return orders.controlAgent({ ...request, target, action }, fromHere());
  }

  #row(key: string): AgentRow | undefined {
    const agent = key.replace('roster:', '');
    if (!this.manager.units.has(unitOf(agent)) && !this.over.has(agent)) return undefined;
    const line = this.run('list-panes', '-a', '-F', '#{session_name} #{session_id} #{pane_id} #{pane_pid}')
      .split('\n')
      .map((each) => each.split(' '))
      .find(([name]) => name === agent);
    const [, sessionId = '', paneId = '', pid = ''] = line ?? [];
    const place = { socket: this.tmux.socket(SERVER), session: agent, sessionId, paneId, pid: Number(pid) };
    const tmux = line
      ? ({ ...place, group: null, groupMembers: [], dead: false } as unknown as AgentRow['tmux'])
      : null;
    const readiness = tmux === null ? 'dead' : 'working';
    return agentRow({ key, agent, tmux, readiness, ...this.over.get(agent) });
  }

  #server(): TmuxServer {
    const names = this.sessions();
    const sessions = names.map((name) => ({ name })) as TmuxServer['sessions'];
    const pid = Number(this.run('display-message', '-p', '#{pid}'));
    return { socket: this.tmux.socket(SERVER), pid, problem: null, sessions } as TmuxServer;
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
