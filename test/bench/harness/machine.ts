/**
 * One played machine: a home of its own with the shipped daemons as an instance, and tmux on private sockets.
 * `[Symbol.asyncDispose]` ends and removes all of it.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { controllerStatus, createToken } from '../../../src/cli/client/admin-methods.ts';
import { adminEndpoint, hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { type Endpoint, GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { whoAmI } from '../../../src/cli/client/methods.ts';
import { handedTokenText } from '../../../src/identity/handed-token.ts';
import { exec } from '../../../src/runtime/exec.ts';
import { type Paths, resolvePaths } from '../../../src/runtime/paths.ts';
import { until } from '../../helpers/until.ts';
import { endChild, hasEnded, startChild } from './children.ts';
import { LoopWatch } from './loop-watch.ts';
import type { Shipped } from './shipped.ts';

const START_TIMEOUT_MS = 20_000;
const CALL_TIMEOUT_MS = 10_000;

export type DaemonKind = 'controller' | 'host-agent';

export interface Daemon {
  kind: DaemonKind;
  child: ChildProcess;
  pid: number;
  /** Asks the daemon how its loop fared. */
  loop: LoopWatch;
}

export class Machine {
  readonly name: string;
  readonly home: string;
  readonly paths: Paths;
  readonly #shipped: Shipped;
  readonly #daemons = new Set<Daemon>();
  readonly #followers = new Set<ChildProcess>();
  readonly #sockets = new Set<string>();

  /** Short ones: a socket's path holds 107 bytes. */
  constructor(shipped: Shipped, home: string, instance: string, name: string) {
    this.name = name;
    this.home = home;
    this.#shipped = shipped;
    this.paths = resolvePaths({ instance, home });
    mkdirSync(join(this.paths.tmuxTmpdir), { recursive: true, mode: 0o700 });
  }

  get env(): Record<string, string> {
    return { PATH: process.env.PATH ?? '', HOME: this.home, LANG: 'C.UTF-8', FLEET_LOG_LEVEL: 'info' };
  }

  /** Starts a shipped daemon and waits until it answers. */
  async start(kind: DaemonKind, options: { ready?: boolean; cell?: string } = {}): Promise<Daemon> {
    const launcher = kind === 'controller' ? this.#shipped.controller : this.#shipped.hostAgent;
    const cell = options.cell === undefined ? [] : ['--cell', options.cell];
    const extra = kind === 'controller' ? ['--port', '0', ...cell] : ['--name', this.name];
    const log = openSync(join(this.home, `${kind}.log`), 'a');
    const child = startChild([launcher, '--instance', this.#instance, ...extra], {
      env: this.env,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const daemon = { kind, child, pid: child.pid as number, loop: new LoopWatch(child) };
    this.#daemons.add(daemon);
    if (options.ready ?? true) await this.answers(daemon);
    return daemon;
  }

  async answers(daemon: Daemon): Promise<void> {
    const socket = daemon.kind === 'controller' ? this.paths.adminSocket : this.paths.hostAgentSocket;
    const ask = (): Promise<unknown> =>
      daemon.kind === 'controller'
        ? this.ask(this.admin, (channel) => channel.unary(controllerStatus, {}, { deadlineMs: 1_000 }))
        : this.ask(this.local, (channel) => channel.unary(whoAmI, {}, { deadlineMs: 1_000 }));
    const isThere = async () =>
      hasEnded(daemon.child) || ((await accepts(socket)) && (await ask().catch(() => null)) !== null);
    await until(isThere, { timeoutMs: START_TIMEOUT_MS });
    if (hasEnded(daemon.child)) throw new Error(`${daemon.kind} of ${this.name} ended: ${this.#logTail(daemon.kind)}`);
  }

  async end(daemon: Daemon, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await endChild(daemon.child, signal);
    this.#daemons.delete(daemon);
  }

  get admin(): Endpoint {
    return adminEndpoint(this.paths);
  }

  get local(): Endpoint {
    return hostAgentEndpoint(this.paths);
  }

  async ask<T>(endpoint: Endpoint, question: (channel: GrpcChannel) => Promise<T>): Promise<T> {
    using channel = new GrpcChannel(endpoint);
    return await question(channel);
  }

  /** A join token for one host of this machine's cell. */
  async token(host: string, user: string): Promise<string> {
    const wish = { host, user, tenantId: '', validSeconds: 900, replace: false };
    const answer = await this.ask(this.admin, (channel) => channel.unary(createToken, wish, { deadlineMs: 5_000 }));
    return answer.token;
  }

  async controllerAddress(): Promise<string> {
    const status = await this.ask(this.admin, (channel) => channel.unary(controllerStatus, {}, { deadlineMs: 5_000 }));
    return status.listening[0] as string;
  }

  /** Hands its host-agent a token; `addresses` are dialled before the token's own. Resolves when it is connected. */
  async join(token: string, addresses: readonly string[] = []): Promise<void> {
    const file = join(this.paths.state, 'host-agent/join-token');
    writeFileSync(file, handedTokenText({ token, addresses }), { mode: 0o600 });
    await until(
      async () =>
        (await this.ask(this.local, (channel) => channel.unary(whoAmI, {}, { deadlineMs: 1_000 }))).upstream?.state ===
        'connected',
      { timeoutMs: START_TIMEOUT_MS },
    );
  }

  /** Arguments and environment of the shipped `fleet` on this machine. */
  fleetArgv(...args: string[]): string[] {
    return [this.#shipped.fleet, ...args, '--instance', this.#instance];
  }

  /** A `fleet` that runs until the machine is removed, or the caller ends it. */
  follow(args: readonly string[], options: SpawnOptions): ChildProcess {
    const child = startChild(this.fleetArgv(...args), { env: this.env, ...options });
    this.#followers.add(child);
    return child;
  }

  async tmux(...args: string[]): Promise<string> {
    return this.tmuxOn('default', ...args);
  }

  async tmuxOn(socket: string, ...args: string[]): Promise<string> {
    this.#sockets.add(socket);
    const result = await exec('tmux', ['-u', '-f', '/dev/null', '-L', socket, ...args], {
      timeoutMs: CALL_TIMEOUT_MS,
      env: { ...this.env, TMUX_TMPDIR: this.paths.tmuxTmpdir, TERM: 'xterm-256color' },
      cleanEnv: true,
    });
    if (result.exitCode !== 0)
      throw new Error(`tmux ${args[0]} on ${this.name}: ${result.stderr || result.spawnError}`);
    return result.stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#followers].map((child) => endChild(child)));
    // Host-agents first: a controller that goes before them is an outage to each.
    const [controllers, hostAgents] = [this.#of('controller'), this.#of('host-agent')];
    await Promise.all(hostAgents.map((daemon) => this.end(daemon)));
    await Promise.all(controllers.map((daemon) => this.end(daemon)));
    for (const socket of this.#sockets) await this.tmuxOn(socket, 'kill-server').catch(() => undefined);
    rmSync(this.home, { recursive: true, force: true });
    rmSync(this.paths.run, { recursive: true, force: true });
    for (const folder of [dirname(this.paths.run), dirname(dirname(this.paths.run))]) removeIfEmpty(folder);
  }

  #of(kind: DaemonKind): Daemon[] {
    return [...this.#daemons].filter((daemon) => daemon.kind === kind);
  }

  get #instance(): string {
    return this.paths.instance as string;
  }

  #logTail(kind: DaemonKind): string {
    return readFileSync(join(this.home, `${kind}.log`), 'utf8').slice(-600);
  }
}

const accepts = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const removeIfEmpty = (folder: string): void => {
  try {
    rmdirSync(folder);
  } catch {
    // In use by others, or never there.
  }
};
