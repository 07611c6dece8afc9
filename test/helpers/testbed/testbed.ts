/**
 * The bed: real Debian hosts on one private network, for one run. Everything that it makes is removed by `stop`, and by a
 * process of its own when the test process ends in any other way.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Host } from './host.ts';
import type { HostOptions } from './host-options.ts';
import { whyNoTestbed } from './missing.ts';
import { Network } from './network.ts';
import { addUser, prepareDisk } from './preparation.ts';
import { rootFs } from './root-fs.ts';
import { attempt, quote, run } from './run-command.ts';
import { claimRun, staleRuns } from './run-folder.ts';
import { sweepRun } from './sweep.ts';

export class Testbed {
  readonly runId: string;
  readonly folder: string;
  readonly network: Network;
  readonly hosts: Host[] = [];
  readonly #reaper: ChildProcess;
  #stopped: Promise<void> | null = null;

  private constructor(runId: string, folder: string, reaper: ChildProcess) {
    this.runId = runId;
    this.folder = folder;
    this.network = new Network(runId);
    this.#reaper = reaper;
  }

  /** `runId`: one to six of a-z and 0-9, unique on this machine; made up where absent. */
  static async start(options: { runId?: string } = {}): Promise<Testbed> {
    const why = whyNoTestbed();
    if (why !== null) throw new Error(`no test bed on this machine: ${why}`);
    for (const stale of staleRuns()) await sweepRun(stale);
    const runId = options.runId ?? `r${Math.random().toString(36).slice(2, 7)}`;
    const folder = claimRun(runId);
    const bed = new Testbed(runId, folder, startReaper(runId, folder));
    try {
      await bed.network.make();
      await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'testbed', '-f', bed.#controlKey]);
    } catch (error) {
      await bed.stop();
      throw error;
    }
    return bed;
  }

  /** Makes a host with its users and boots it; resolves when it can be logged in to. Name: the host name, as it is. */
  async boot(name: string, options: HostOptions): Promise<Host> {
    const index = this.hosts.length;
    const folder = join(this.folder, String(index));
    mkdirSync(folder);
    const host = new Host(
      {
        name,
        address: this.network.addressOf(index),
        machine: `f${this.runId}-${index}`,
        folder,
        cgroup: `${this.runId}/${index}`,
        network: this.network,
        sshCgroup: `${this.runId}/ssh`,
        controlKey: this.#controlKey,
        knownHosts: join(this.folder, 'known_hosts'),
      },
      options,
    );
    this.hosts.push(host);
    await host.disk.mount(await rootFs(host.rootVariant));
    const controlKey = readFileSync(`${this.#controlKey}.pub`, 'utf8');
    const hostKey = await prepareDisk(host.disk.root, host, options);
    appendFileSync(join(this.folder, 'known_hosts'), `${name},${host.address} ${hostKey}`);
    await host.boot();
    await this.#nameHosts();
    for (const user of options.users) await addUser(host, user, controlKey);
    return host;
  }

  /** Lets `user` of `from` log in to `to` as `remoteUser` without a question, by host name and by address. */
  async trust(from: Host, user: string, to: Host, remoteUser: string): Promise<void> {
    const make =
      'test -e ~/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519; cat ~/.ssh/id_ed25519.pub';
    await to.authorise(remoteUser, await from.mustSsh(user, make));
    const known = readFileSync(join(this.folder, 'known_hosts'), 'utf8');
    const line = known.split('\n').find((each) => each.startsWith(`${to.name},`));
    await from.mustSsh(user, `echo ${quote(line ?? '')} >> ~/.ssh/known_hosts`);
  }

  /** Runs a program beside the hosts, on their network; a failure is a result. */
  beside(argv: readonly string[], options: { input?: string; timeoutMs?: number } = {}): ReturnType<typeof attempt> {
    return attempt(this.network.inside(argv), options);
  }

  /** Ends all hosts at once and removes everything; throws where something is left. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(): Promise<void> {
    if (this.#reaper.exitCode === null) {
      this.#reaper.ref();
      this.#reaper.stdin?.end();
      await once(this.#reaper, 'exit');
    }
    // Also where the reaper itself was ended: a second sweep finds nothing, or says what is left.
    await sweepRun(this.runId);
  }

  async #nameHosts(): Promise<void> {
    const lines = this.hosts.map((host) => `${host.address} ${host.name}`);
    const text = ['127.0.0.1 localhost', '::1 localhost', ...lines, ''].join('\n');
    for (const host of this.hosts.filter((each) => each.isOn)) await host.writeFile('/etc/hosts', text);
  }

  get #controlKey(): string {
    return join(this.folder, 'key');
  }
}

const startReaper = (runId: string, folder: string): ChildProcess => {
  const log = openSync(join(folder, 'reaper.log'), 'w');
  const program = join(import.meta.dirname, 'reaper.ts');
  const reaper = spawn(process.execPath, [program, runId], {
    detached: true,
    stdio: ['pipe', log, log],
    env: {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
    },
  });
  reaper.unref();
  writeFileSync(join(folder, 'reaper.pid'), String(reaper.pid));
  return reaper;
};
