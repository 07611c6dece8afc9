/** The shipped controller in this process, as an instance of its own below a temporary home. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControllerConfig, readConfig } from '../../controller/config.ts';
import { Controller } from '../../controller/controller.ts';
import { addTenant, controllerStatus, createToken } from '../../src/cli/client/admin-methods.ts';
import { adminEndpoint } from '../../src/cli/client/endpoints.ts';
import { GrpcChannel, type Method } from '../../src/cli/client/grpc-channel.ts';
import { watchAgents } from '../../src/cli/client/methods.ts';
import { ViewMirror } from '../../src/cli/client/view-mirror.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { type Logger, silentLogger } from '../../src/runtime/logger.ts';
import { resolvePaths } from '../../src/runtime/paths.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

export class RunningController {
  readonly config: ControllerConfig;
  readonly folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(folder: string, config: ControllerConfig, clock: Clock, log: Logger) {
    this.folder = folder;
    this.config = config;
    this.#clock = clock;
    this.#log = log;
  }

  static async start(options: { argv?: string[]; clock?: Clock; log?: Logger } = {}): Promise<RunningController> {
    const folder = await mkdtemp(join(tmpdir(), 'fleet-c-'));
    const port = String(await freePort());
    const config = readConfig(['--instance', 't', '--port', port, ...(options.argv ?? [])], process.env);
    const home = resolvePaths({ instance: 't', home: folder });
    // Below the temporary home also where this user has a folder in /run: several controllers may run at once.
    const paths = { ...home, run: join(folder, 'r'), adminSocket: join(folder, 'r/admin/controller.sock') };
    const controller = new RunningController(
      folder,
      { ...config, paths },
      options.clock ?? systemClock,
      options.log ?? silentLogger(),
    );
    await controller.begin();
    return controller;
  }

  /** Starts, or starts again on the same state. */
  async begin(): Promise<void> {
    this.#stopping = new AbortController();
    let failure: unknown = null;
    this.#running = new Controller(this.config, this.#log, this.#clock).run(this.#stopping.signal);
    this.#running.catch((error) => {
      failure = error;
    });
    await until(
      async () => {
        if (failure !== null) throw failure;
        return await this.ask(controllerStatus, {}, 1_000).catch(() => null);
      },
      { timeoutMs: 40_000 },
    );
  }

  ask<Q, S>(method: Method<Q, S>, request: Q, deadlineMs = 5_000): Promise<S> {
    return this.admin((channel) => channel.unary(method, request, { deadlineMs }));
  }

  async admin<T>(ask: (channel: GrpcChannel) => Promise<T>): Promise<T> {
    using channel = new GrpcChannel(adminEndpoint(this.config.paths));
    return await ask(channel);
  }

  /** host:port of its open addresses. */
  async listening(): Promise<string[]> {
    return (await this.ask(controllerStatus, {})).listening;
  }

  /** For a tenant that is made where there is none. */
  async token(host: string, user = 'u', tenantId = '', replace = false): Promise<string> {
    if (tenantId !== '') await this.ask(addTenant, { tenantId });
    const request = { host, user, tenantId, validSeconds: 60, replace };
    return (await this.ask(createToken, request)).token;
  }

  /** The cell's whole view, as the admin socket tells it. */
  view(): Promise<ViewMirror> {
    return this.admin(async (channel) => {
      const mirror = new ViewMirror();
      const request = { follow: false, resumeToken: '', localOnly: false, hostsOnly: false };
      for await (const frame of channel.stream(watchAgents, request, { deadlineMs: 5_000 })) mirror.apply(frame, 0);
      return mirror;
    });
  }

  /** `state reason` of a host-agent's link, or null when it is not known. */
  async link(id: string): Promise<string | null> {
    const host = (await this.view()).momentOf(id, 0)?.host;
    return host === undefined ? null : `${host.link.state} ${host.link.reason}`;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
