/** The shipped host-agent in this process, as an instance of its own below a temporary home, with tmux to itself. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostAgent } from '../../host-agent/agent.ts';
import { type HostAgentConfig, readConfig } from '../../host-agent/config.ts';
import { hostAgentEndpoint } from '../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../src/cli/client/grpc-channel.ts';
import { whoAmI } from '../../src/cli/client/methods.ts';
import { takeSnapshot } from '../../src/cli/client/snapshot.ts';
import type { ViewMirror } from '../../src/cli/client/view-mirror.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { exec } from '../../src/runtime/exec.ts';
import { type Logger, silentLogger } from '../../src/runtime/logger.ts';
import { resolvePaths } from '../../src/runtime/paths.ts';
import { until } from './until.ts';

export class RunningHostAgent {
  readonly config: HostAgentConfig;
  readonly folder: string;
  readonly #log: Logger;
  readonly #sockets = new Set<string>();
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(folder: string, config: HostAgentConfig, log: Logger) {
    this.folder = folder;
    this.config = config;
    this.#log = log;
  }

  /** `ownFleet`: its places are those of a user's own fleet whose home is `folder`; it watches no units all the same. */
  static async start(name: string, options: { log?: Logger; ownFleet?: boolean } = {}): Promise<RunningHostAgent> {
    const folder = await mkdtemp(join(tmpdir(), 'fleet-h-'));
    const instance = `t-${name.replace(/[^A-Za-z0-9]/g, '')}`;
    const config = readConfig(['--instance', instance, '--name', name], process.env);
    const home = resolvePaths({ instance: options.ownFleet ? null : instance, home: folder, env: {} });
    const tmuxTmpdir = join(folder, 't');
    const run = join(folder, 'r');
    const sockets = { run, hostAgentSocket: join(run, 'host-agent.sock'), adminSocket: join(run, 'admin.sock') };
    const paths = { ...home, ...sockets, tmuxTmpdir, instance, isolated: true };
    await mkdir(tmuxTmpdir, { recursive: true, mode: 0o700 });
    const agent = new RunningHostAgent(folder, { ...config, paths }, options.log ?? silentLogger());
    await agent.begin();
    return agent;
  }

  async begin(): Promise<void> {
    this.#stopping = new AbortController();
    let failure: unknown = null;
    this.#running = new HostAgent(this.config, this.#log).run(this.#stopping.signal);
    this.#running.catch((error) => {
      failure = error;
    });
    await until(
      async () => {
        if (failure !== null) throw failure;
        using channel = new GrpcChannel(hostAgentEndpoint(this.config.paths));
        return await channel.unary(whoAmI, {}, { deadlineMs: 1_000 }).catch(() => null);
      },
      { timeoutMs: 40_000 },
    );
  }

  /** Hands it a join token, as `up` and `host add` do. */
  async join(token: string): Promise<void> {
    await writeFile(join(this.config.paths.state, 'host-agent/join-token'), token, { mode: 0o600 });
  }

  /** tmux on a private socket of this host. */
  async tmux(...args: string[]): Promise<string> {
    return await this.tmuxOn('default', ...args);
  }

  async tmuxOn(socket: string, ...args: string[]): Promise<string> {
    this.#sockets.add(socket);
    const env = { TMUX_TMPDIR: this.config.paths.tmuxTmpdir, TERM: 'xterm-256color', HOME: this.folder, TMUX: '' };
    const result = await exec('tmux', ['-u', '-f', '/dev/null', '-L', socket, ...args], { timeoutMs: 30_000, env });
    if (result.exitCode !== 0) throw new Error(`tmux ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  /** What `fleet ps` would be told on this host. */
  view(options: { localOnly?: boolean } = {}): Promise<ViewMirror> {
    return takeSnapshot(this.config.paths, {
      localOnly: options.localOnly ?? false,
      hostsOnly: false,
      clock: systemClock,
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async remove(): Promise<void> {
    await this.stop();
    for (const socket of this.#sockets) await this.tmuxOn(socket, 'kill-server').catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }
}
