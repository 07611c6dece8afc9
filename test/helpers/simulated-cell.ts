/** A running controller with simulated hosts and clients of it, all ended in reverse by `end`. */
import { join } from 'node:path';
import { allowVerbs, controllerStatus, removeHost } from '../../src/cli/client/admin-methods.ts';
import type { FleetServiceClient } from '../../src/wire/gen/fleet/v1/fleet.ts';
import { agentRow } from './agent-row.ts';
import { FaultProxy } from './fault-proxy.ts';
import { callerAt, callerOn } from './fleet-caller.ts';
import { RunningController } from './run-controller.ts';
import { RunningHostAgent } from './run-host-agent.ts';
import { SimulatedHost, type SimulatedHostOptions } from './simulated-host.ts';
import { until } from './until.ts';

const SOON = { timeoutMs: 30_000 };

export type HostWish = Partial<SimulatedHostOptions> & { tenantId?: string; replace?: boolean };

export class SimulatedCell {
  readonly controller: RunningController;
  readonly #cleanUp: (() => unknown)[] = [];

  private constructor(controller: RunningController) {
    this.controller = controller;
    this.#cleanUp.push(() => controller.remove());
  }

  static async start(options: Parameters<typeof RunningController.start>[0] = {}): Promise<SimulatedCell> {
    return new SimulatedCell(await RunningController.start(options));
  }

  /** Enrolled, with one agent to report: key `a`, name coder0-0. It is away until it is started. */
  async away(name: string, wish: HostWish = {}): Promise<SimulatedHost> {
    const token = await this.controller.token(name, wish.user, wish.tenantId, wish.replace);
    const host = await SimulatedHost.enrol({ folder: this.controller.folder, token, host: name, ...wish });
    host.put(agentRow({ key: 'a', agent: 'coder0-0' }));
    this.#cleanUp.push(() => host.stop());
    return host;
  }

  /** Enrolled, connected, and reporting that agent. */
  async host(name: string, wish: HostWish = {}): Promise<SimulatedHost> {
    const host = await this.away(name, wish);
    host.start();
    await until(async () => [...(await this.controller.view()).rowsOf(host.id)].length === 1, SOON);
    await until(() => host.uplink.channel !== null, SOON);
    return host;
  }

  /** The line of a host that dials through it can be cut. */
  async proxy(): Promise<FaultProxy> {
    const { listening } = await this.controller.ask(controllerStatus, {});
    const proxy = await FaultProxy.start({ host: '127.0.0.1', port: Number(listening[0]?.split(':').at(-1)) });
    this.#cleanUp.push(() => proxy.stop());
    return proxy;
  }

  /** A folder for the identity of another machine that bears a known name. */
  get elsewhere(): string {
    return join(this.controller.folder, 'elsewhere');
  }

  /** What callers of that host may do elsewhere; nothing by default. */
  async allow(host: string, verbs: string[]): Promise<void> {
    await this.controller.ask(allowVerbs, { host, user: '', verbs });
  }

  async removeHost(host: string): Promise<void> {
    await this.controller.ask(removeHost, { host, user: '' });
  }

  /** Whoever reaches the admin socket. */
  admin(): FleetServiceClient {
    return this.#client(callerAt(this.controller.config.paths.adminSocket));
  }

  /** As the callers of that host whom the controller cannot tell from it. */
  as(host: SimulatedHost): FleetServiceClient {
    return callerOn(host.uplink.channel as NonNullable<typeof host.uplink.channel>);
  }

  /** By the socket of the shipped host-agent of a machine of its own. */
  async hostAgent(name: string): Promise<FleetServiceClient> {
    const agent = await RunningHostAgent.start(name);
    this.#cleanUp.push(() => agent.remove());
    await agent.join(await this.controller.token(name, agent.config.user));
    const id = `${name}/${agent.config.user}`;
    await until(async () => (await this.controller.link(id)) === 'connected null', SOON);
    const client = this.#client(callerAt(agent.config.paths.hostAgentSocket));
    await until(
      () =>
        new Promise((resolve) =>
          client.whoAmI({}, (error, answer) => resolve(error === null && answer.upstream?.state === 'connected')),
        ),
      SOON,
    );
    return client;
  }

  async end(): Promise<void> {
    for (const each of this.#cleanUp.splice(0).reverse()) await each();
  }

  #client(client: FleetServiceClient): FleetServiceClient {
    this.#cleanUp.push(() => client.close());
    return client;
  }
}
