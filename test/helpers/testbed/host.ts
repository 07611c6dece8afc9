/**
 * One machine of the bed: a Debian with its own systemd, users, sshd, disk, cable and power. Commands run as its users or
 * its root; faults are verbs. What a verb does has happened when its promise resolves.
 */
import { join } from 'node:path';
import type { ExecResult } from '../../../src/runtime/exec.ts';
import { until } from '../until.ts';
import { MOVE_CLOCK, moveBootTime, offsetBytes } from './clock.ts';
import { Disk } from './disk.ts';
import type { HostOptions } from './host-options.ts';
import type { Network } from './network.ts';
import { LIST_PANES } from './panes.ts';
import { Power } from './power.ts';
import type { RootVariant } from './root-fs.ts';
import { attempt, quote, run } from './run-command.ts';
import { type RunningCommand, SshLine } from './ssh-line.ts';
import { readWorkload, type WorkloadProcess } from './workload.ts';

export interface HostPlace {
  name: string;
  address: string;
  /** Unique on this machine; at most 12 characters. */
  machine: string;
  folder: string;
  cgroup: string;
  network: Network;
  sshCgroup: string;
  controlKey: string;
  knownHosts: string;
}

export interface CommandOptions {
  input?: string | Uint8Array;
  /** Default 30 s. */
  timeoutMs?: number;
}

export class Host {
  readonly name: string;
  readonly address: string;
  readonly disk: Disk;
  readonly rootVariant: RootVariant;
  readonly consoleLog: string;
  readonly #place: HostPlace;
  readonly #ownClock: boolean;
  readonly #power: Power;
  readonly #lines = new Map<string, SshLine>();

  constructor(place: HostPlace, options: HostOptions) {
    this.name = place.name;
    this.address = place.address;
    this.disk = new Disk(place.folder, options.diskMiB ?? 1_536);
    this.rootVariant = options.root ?? 'standard';
    this.consoleLog = join(place.folder, 'console.log');
    this.#place = place;
    this.#ownClock = options.ownClock ?? false;
    this.#power = new Power({ ...place, hostName: place.name, root: this.disk.root });
  }

  // Commands

  /** Runs a shell command as `user`, by ssh; a failure is a result. */
  async ssh(user: string, command: string, options: CommandOptions = {}): Promise<ExecResult> {
    return (await this.#openLine(user)).run(command, options);
  }

  /** Starts a shell command as `user` that goes on, by ssh. */
  async start(user: string, command: string): Promise<RunningCommand> {
    return (await this.#openLine(user)).start(command);
  }

  /** Stdout of a shell command as `user`; throws where it fails. */
  async mustSsh(user: string, command: string, options: CommandOptions = {}): Promise<string> {
    const result = await this.ssh(user, command, options);
    if (result.exitCode === 0) return result.stdout;
    throw new Error(`${user}@${this.name}: ${command}: exit ${result.exitCode}: ${result.stderr}${result.stdout}`);
  }

  /** `fleet ARGV…` as `user`, by the launcher that an installation links. */
  async fleet(user: string, argv: readonly string[], options: CommandOptions = {}): Promise<ExecResult> {
    return this.ssh(user, ['"$HOME"/.local/bin/fleet', ...argv.map(quote)].join(' '), options);
  }

  /** Stdout of a shell command as root, past network, sshd and login; throws where it fails. */
  async asRoot(command: string, options: CommandOptions = {}): Promise<string> {
    const enter = ['nsenter', '-t', String(this.#power.leader), '-m', '-u', '-i', '-n', '-p', '-r', '-w'];
    const env = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'];
    return run([...enter, ...env, 'sh', '-c', command], { timeoutMs: 30_000, ...options });
  }

  /** Writes a file with its folders, which are the owner's too where they are made. */
  async writeFile(
    path: string,
    content: string | Uint8Array,
    options: { owner?: string; mode?: string } = {},
  ): Promise<void> {
    const owner = options.owner ?? 'root';
    const write = `umask 022; mkdir -p "$(dirname "$1")" && cat > "$1" && chmod ${options.mode ?? '644'} "$1"`;
    const script = `cd / && exec runuser -u ${quote(owner)} -- sh -c ${quote(write)} sh ${quote(path)}`;
    await this.asRoot(script, { input: content });
  }

  /** Copies a folder of this machine to `path`, as `owner`. */
  async copyIn(localFolder: string, path: string, owner: string): Promise<void> {
    const pack = await attempt(['sh', '-c', 'tar -C "$1" -cf "$2" .', 'sh', localFolder, this.#parcel]);
    if (pack.exitCode !== 0) throw new Error(`cannot pack ${localFolder}: ${pack.stderr}`);
    const unpack = `mkdir -p "$1" && tar -C "$1" -xf - --no-same-owner`;
    const enter = ['nsenter', '-t', String(this.#power.leader), '-m', '-p', '-r', '-w', 'runuser', '-u', owner, '--'];
    await run(
      ['sh', '-c', 'f=$1; shift; "$@" < "$f"; s=$?; rm "$f"; exit $s', 'sh', this.#parcel].concat([
        ...enter,
        'sh',
        '-c',
        unpack,
        'sh',
        path,
      ]),
    );
  }

  /** Lets the owner of a public key log in as `user`. */
  async authorise(user: string, publicKey: string): Promise<void> {
    const add = 'umask 077; mkdir -p ~/.ssh && cat >> ~/.ssh/authorized_keys';
    await this.asRoot(`cd / && su -s /bin/sh ${quote(user)} -c ${quote(add)}`, { input: `${publicKey.trim()}\n` });
  }

  // Faults

  /** Packets to and from this host vanish; nothing is refused. */
  async cutCable(): Promise<void> {
    await this.#place.network.setCable(this.#power.cable, 'down');
  }

  async mendCable(): Promise<void> {
    await this.#place.network.setCable(this.#power.cable, 'up');
  }

  /** From here no connection to `peer` can be opened: the attempt vanishes. The other direction stays as it is. */
  async blockDialling(peer: Host): Promise<void> {
    const rule = `ip daddr ${peer.address} tcp flags & (syn | ack) == syn drop`;
    const table = `table inet bed { chain out { type filter hook output priority 0; ${rule}; }; }`;
    await this.#inNetwork(['nft', '-f', '-'], `${table}\n`);
  }

  async allowDialling(): Promise<void> {
    await this.#inNetwork(['nft', 'delete', 'table', 'inet', 'bed']);
  }

  /** Stops these processes (the host's pids) where they are, sockets open. */
  async freeze(pids: readonly number[]): Promise<void> {
    await this.asRoot(`kill -STOP ${pids.join(' ')}`);
  }

  async thaw(pids: readonly number[]): Promise<void> {
    await this.asRoot(`kill -CONT ${pids.join(' ')}`);
  }

  async kill(pid: number, signal: NodeJS.Signals): Promise<void> {
    await this.asRoot(`kill -${signal.replace(/^SIG/, '')} ${pid}`);
  }

  /** A clean shutdown. */
  async powerOff(): Promise<void> {
    await this.#closeLines();
    await this.#power.powerOff();
  }

  /** Everything ends at once, nothing is flushed, and no packet says so. */
  async pullCord(): Promise<void> {
    await this.#closeLines();
    // The kernel, which lives on, would close the sockets of the dead.
    await this.cutCable();
    await this.#power.pullCord();
  }

  /** Boots the same disk again, after powerOff or pullCord. */
  async bootAgain(): Promise<void> {
    await this.boot();
  }

  /** No byte more can be written on this host, until `freeDisk`. */
  async fillDisk(): Promise<void> {
    await this.disk.fill();
  }

  async freeDisk(): Promise<void> {
    await this.disk.free();
  }

  /** Sets the wall clock of the whole host `offsetMs` from the true time, at once. Needs `ownClock`. */
  async moveClock(offsetMs: number): Promise<void> {
    if (!this.#ownClock) throw new Error(`${this.name} was booted without ownClock`);
    await this.asRoot(MOVE_CLOCK, { input: offsetBytes(offsetMs) });
    await this.asRoot(moveBootTime(offsetMs));
  }

  // Looking

  /** Every tmux server and program in a pane, to be the same after a fault as before it. */
  workload(): WorkloadProcess[] {
    return readWorkload(this.#power.leader);
  }

  /** All panes on all tmux sockets of the host, as text for a person. */
  listPanes(): Promise<string> {
    return this.asRoot(LIST_PANES);
  }

  get isOn(): boolean {
    return this.#power.isOn;
  }

  /** Boots and waits until sshd answers on the host's own address. */
  async boot(): Promise<void> {
    await this.#power.boot();
    const knock = ['bash', '-c', `exec 3<>/dev/tcp/${this.address}/22 && read -rt 2 line <&3`];
    const answers = async () => (await attempt(this.#place.network.inside(knock), { timeoutMs: 3_000 })).exitCode === 0;
    await until(answers, { timeoutMs: 120_000 });
    await until(async () => (await this.asRoot('test -e /run/nologin || echo open')) !== '', { timeoutMs: 60_000 });
  }

  get #parcel(): string {
    return join(this.#place.folder, 'parcel.tar');
  }

  async #openLine(user: string): Promise<SshLine> {
    const line = this.#lines.get(user) ?? this.#newLine(user);
    if (!line.isOpen) await line.open(this.#power.leader, 60_000);
    return line;
  }

  #newLine(user: string): SshLine {
    const { name, controlKey, knownHosts, folder, sshCgroup } = this.#place;
    const options = { hostName: name, user, key: controlKey, knownHosts, cgroup: sshCgroup };
    const line = new SshLine({ ...options, folder: join(folder, 'ssh') });
    this.#lines.set(user, line);
    return line;
  }

  async #closeLines(): Promise<void> {
    for (const line of this.#lines.values()) await line.close();
  }

  async #inNetwork(argv: readonly string[], input = ''): Promise<void> {
    await run(['nsenter', '-t', String(this.#power.leader), '-n', ...argv], { input });
  }
}
