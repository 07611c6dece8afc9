/** A cell of one machine: controller and host-agent are processes of their own, its agents run in tmux of their own. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { controllerStatus, createToken, watchAudit } from '../../src/cli/client/admin-methods.ts';
import { adminEndpoint } from '../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../src/cli/client/grpc-channel.ts';
import { takeSnapshot } from '../../src/cli/client/snapshot.ts';
import type { ViewMirror } from '../../src/cli/client/view-mirror.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { exec } from '../../src/runtime/exec.ts';
import { type Paths, resolvePaths } from '../../src/runtime/paths.ts';
import type { AuditRecord } from '../../src/wire/gen/fleet/v1/audit.ts';
import { DaemonProcess } from './daemon-process.ts';
import { type Ran, type Running, startFleet } from './fleet-program.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const SOON = { timeoutMs: 90_000 };
const DEADLINE = { deadlineMs: 10_000 };
const SOCKET = 'agents';

export class CellProcess {
  readonly cell: string;
  readonly host: string;
  readonly home = mkdtempSync(join(tmpdir(), 'fleet-p-'));
  readonly paths: Paths;
  readonly controller: DaemonProcess;
  readonly hostAgent: DaemonProcess;
  readonly #instance = `t${randomBytes(4).toString('hex')}`;
  readonly #started: Running[] = [];

  private constructor(cell: string, host: string, port: number) {
    this.cell = cell;
    this.host = host;
    this.paths = resolvePaths({ instance: this.#instance, home: this.home, env: {} });
    const env = { HOME: this.home };
    const daemon = (name: string, ...more: string[]): DaemonProcess =>
      new DaemonProcess(`${name}/main.ts`, ['--instance', this.#instance, '--log', this.logOf(name), ...more], env);
    this.controller = daemon('controller', '--cell', cell, '--port', String(port));
    this.hostAgent = daemon('host-agent', '--name', host);
  }

  /** Both run, and the host's link stands. `federated`: what the host lets callers of other cells do. */
  static async start(cell: string, host: string, federated = 'observe'): Promise<CellProcess> {
    const made = new CellProcess(cell, host, await freePort());
    try {
      await made.#begin(federated);
      return made;
    } catch (error) {
      await made.remove();
      throw error;
    }
  }

  async #begin(federated: string): Promise<void> {
    const { config, tmuxTmpdir, state } = this.paths;
    for (const folder of [config, tmuxTmpdir, join(state, 'host-agent')])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(config, 'host-policy.json'), JSON.stringify({ federated }), { mode: 0o600 });
    await this.startController();
    const request = { host: this.host, user: userInfo().username, tenantId: '', validSeconds: 60, replace: false };
    const { token } = await this.admin((channel) => channel.unary(createToken, request, DEADLINE));
    writeFileSync(join(state, 'host-agent/join-token'), token, { mode: 0o600 });
    this.hostAgent.start();
    await until(async () => (await this.snapshot()).upstreamAt(systemClock.monotonicMs())?.state === 'connected', SOON);
  }

  /** Of its one host-agent. */
  get id(): string {
    return `${this.host}/${userInfo().username}`;
  }

  logOf(daemon: string): string {
    return join(this.home, `${daemon}.log`);
  }

  async startController(): Promise<void> {
    this.controller.start();
    const answers = () =>
      this.admin((channel) => channel.unary(controllerStatus, {}, { deadlineMs: 1_000 })).catch(() => null);
    await until(answers, SOON);
  }

  async admin<T>(ask: (channel: GrpcChannel) => Promise<T>): Promise<T> {
    using channel = new GrpcChannel(adminEndpoint(this.paths));
    return await ask(channel);
  }

  /** All that its audit has. */
  async audit(): Promise<AuditRecord[]> {
    return await this.admin(async (channel) => {
      const records: AuditRecord[] = [];
      const request = { follow: false, afterSequence: 0n, sinceMs: 0, newest: 0 };
      for await (const message of channel.stream(watchAudit, request, DEADLINE)) records.push(...message.records);
      return records;
    });
  }

  /** Its records of a call about an agent, oldest first. */
  async auditOf(verb: string, agent: string): Promise<AuditRecord[]> {
    return (await this.audit()).filter((record) => record.verb.endsWith(`/${verb}`) && record.agent === agent);
  }

  /** The `fleet` program of whoever sits at this machine. */
  fleet(...words: string[]): Running {
    const running = startFleet(['--instance', this.#instance, ...words], { HOME: this.home });
    this.#started.push(running);
    return running;
  }

  async ran(...words: string[]): Promise<Ran> {
    return await this.fleet(...words).ended;
  }

  /** What `fleet ps` is told there. */
  async snapshot(): Promise<ViewMirror> {
    return await takeSnapshot(this.paths, { localOnly: false, hostsOnly: false, clock: systemClock });
  }

  /** A session of that name; the command is its pane's own process. */
  async agent(name: string, command: string): Promise<void> {
    await this.tmux('new-session', '-d', '-s', name, '-x', '80', '-y', '24', command);
  }

  async tmux(...args: string[]): Promise<string> {
    const env = { TMUX_TMPDIR: this.paths.tmuxTmpdir, TERM: 'xterm-256color', HOME: this.home, TMUX: '' };
    const words = ['-u', '-f', '/dev/null', '-L', SOCKET, ...args];
    const { exitCode, stdout, stderr } = await exec('tmux', words, { timeoutMs: 30_000, env });
    if (exitCode !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
    return stdout.trimEnd();
  }

  async sessions(): Promise<string[]> {
    return (await this.tmux('list-sessions', '-F', '#{session_name}')).split('\n');
  }

  async panePid(name: string): Promise<number> {
    return Number(await this.tmux('list-panes', '-t', `=${name}:`, '-F', '#{pane_pid}'));
  }

  async remove(): Promise<void> {
    for (const { child, ended } of this.#started) {
      child.kill('SIGKILL');
      await ended;
    }
    await this.hostAgent.end('SIGKILL');
    await this.controller.end('SIGKILL');
    await this.tmux('kill-server').catch(() => undefined);
    rmSync(this.paths.run, { recursive: true, force: true });
    rmSync(this.home, { recursive: true, force: true });
  }
}
