/**
 * What a person at home has open at agents of acme when a fault comes, by the `fleet` program: a screen that is watched,
 * lines that are followed, a message and a stop, both of them in their midst at the host; and what is true of them afterwards.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { expect } from 'vitest';
import { getOrder } from '../../src/cli/client/order-methods.ts';
import type { AuditRecord } from '../../src/wire/gen/fleet/v1/audit.ts';
import type { CellProcess } from './cell-process.ts';
import type { CellsInFault } from './cells-in-fault.ts';
import type { Running } from './fleet-program.ts';
import { lookalike, lookalikeLog } from './lookalike.ts';
import { until } from './until.ts';

const SOON = { timeoutMs: 40_000 };
const DEADLINE = { deadlineMs: 10_000 };

export class CallsInFault {
  readonly #cells: CellsInFault;
  readonly shown: string;
  readonly told: string;
  readonly stopped: string;
  watch!: Running;
  tail!: Running;
  send!: Running;
  stop!: Running;
  #program = 0;
  #sleeper = 0;

  /** The agents, and the ids of the orders to them, begin with that name. */
  constructor(cells: CellsInFault, name: string) {
    this.#cells = cells;
    this.shown = `${name}-shown`;
    this.told = `${name}-told`;
    this.stopped = `${name}-stopped`;
  }

  /** Resolves when all four are in their midst: the message is typed and not read, the session is gone and its process is not. */
  async open(): Promise<void> {
    const { acme, home } = this.#cells;
    await acme.agent(this.shown, 'echo ready; exec cat');
    // Not as the pane's own process: tmux continues that one whenever it stops.
    await acme.agent(this.told, `${lookalike(acme.home, 'claude', { log: this.#log, workSeconds: 0 })}; exec cat`);
    await acme.agent(this.stopped, 'trap "" HUP; exec sleep 1000');
    await this.#cells.untilCurrent(this.told, 'claude');
    for (const name of [this.shown, this.stopped]) await this.#cells.untilCurrent(name);
    this.watch = home.fleet('watch', this.#cells.addressOf(this.shown));
    this.tail = home.fleet('tail', '-f', this.#cells.addressOf(this.shown));
    await until(() => this.watch.stdout.includes('ready') && this.tail.stdout.includes('ready'), SOON);
    await until(
      async () => (await acme.tmux('capture-pane', '-p', '-t', `=${this.told}:`)).includes('shortcuts'),
      SOON,
    );
    const shell = await acme.panePid(this.told);
    this.#program = Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim());
    this.#sleeper = await acme.panePid(this.stopped);
    process.kill(this.#program, 'SIGSTOP');
    // Longer than any fault lasts here.
    const form = ['--timeout', '5m', '-o', 'json'];
    const tty = await acme.tmux('display-message', '-p', '-t', `=${this.told}:`, '#{pane_tty}');
    const send = ['send', this.#cells.addressOf(this.told), 'hello', '--id', this.told, ...form];
    const stop = ['stop', '--adopt', this.#cells.addressOf(this.stopped), '--id', this.stopped, ...form];
    this.send = await this.#given(send, () => unreadBytes(tty) > 0);
    this.stop = await this.#given(stop, async () => !(await acme.sessions()).includes(this.stopped));
  }

  goOn(): void {
    process.kill(this.#program, 'SIGCONT');
    process.kill(this.#sleeper, 'SIGTERM');
  }

  /** What was submitted to the agent that the message is for. */
  get submitted(): unknown[] {
    return lookalikeLog(this.#log).flatMap(({ message }) => message ?? []);
  }

  /** Once the fault is over: both streams have gone on by themselves, and are left; both orders are done, once, as both cells say. */
  async settle(): Promise<void> {
    const { acme, home } = this.#cells;
    await this.#cells.untilCurrent(this.shown);
    await acme.tmux('send-keys', '-t', `=${this.shown}:`, 'afterwards', 'Enter');
    await until(() => this.watch.stdout.includes('afterwards') && this.tail.stdout.includes('afterwards'), SOON);
    expect(this.tail.stdout.split('\n').filter((line) => line === 'ready')).toEqual(['ready']);
    expect(this.watch.stdout).not.toContain('"event":"end"');
    for (const [id, outcome] of [
      [this.told, 'accepted'],
      [this.stopped, 'done'],
    ] as const) {
      for (const cell of [home, acme])
        await until(async () => {
          const now = await this.#outcome(cell, id);
          if (now.outcome !== outcome) throw new Error(`order ${id} in ${cell.cell}: ${JSON.stringify(now)}`);
          return true;
        }, SOON);
      const said = [await this.#outcome(home, id), await this.#outcome(acme, id)];
      expect(said[0]).toEqual(said[1]);
    }
    await Promise.all([this.send.ended, this.stop.ended]);
    const again = await home.ran('send', this.#cells.addressOf(this.told), 'hello', '--id', this.told, '-o', 'json');
    expect([again.code, JSON.parse(again.stdout)]).toMatchObject([0, { outcome: 'accepted', repeated: true }]);
    expect(this.submitted).toEqual([expect.stringContaining('hello')]);
    expect(await acme.sessions()).not.toContain(this.stopped);
    for (const { child, ended } of [this.watch, this.tail]) {
      expect(child.exitCode).toBeNull();
      child.kill('SIGINT');
      expect((await ended).code).toBe(EXIT_LEFT);
    }
  }

  /** Records about one agent and call once each call that began has an end, on both sides. */
  async audited(verb: string, agent: string): Promise<{ home: AuditRecord[]; acme: AuditRecord[] }> {
    return await until(async () => {
      const { home, acme } = this.#cells;
      const records = { home: await home.auditOf(verb, agent), acme: await acme.auditOf(verb, agent) };
      for (const cell of ['home', 'acme'] as const) {
        const open = openCalls(records[cell]);
        if (open.length > 0) throw new Error(`${verb} of ${agent} is open in ${cell}: ${open.join()}`);
      }
      return records;
    }, SOON);
  }

  /** Both audits name the same person, calls and orders, leave none of them open, and say that nobody knew what came of either order. */
  async agreed(): Promise<void> {
    const { home } = this.#cells;
    const person = `spiffe://home/host/${home.host}/user/${userInfo().username}`;
    for (const [verb, agent] of [
      ['WatchTerminal', this.shown],
      ['TailTerminal', this.shown],
      ['SendText', this.told],
      ['ControlAgent', this.stopped],
    ] as const) {
      const { home: here, acme: there } = await this.audited(verb, agent);
      expect(here.length).toBeGreaterThan(1);
      expect(there.length).toBeGreaterThan(1);
      expect(new Set(here.map(({ actor }) => actor))).toEqual(new Set([person]));
      expect(new Set(there.map(({ onBehalfOf }) => onBehalfOf))).toEqual(new Set([person]));
      expect(new Set(there.map(({ actor }) => actor.replace(/\/[^/]+$/, '')))).toEqual(
        new Set(['spiffe://home/controller']),
      );
      const ids = new Set([...here, ...there].map(({ order }) => order));
      if (verb === 'WatchTerminal' || verb === 'TailTerminal') expect(ids).toEqual(new Set(['']));
      else {
        expect(ids).toEqual(new Set([agent]));
        for (const records of [here, there]) expect(firstEnd(records)).toMatch(UNKNOWN);
      }
    }
  }

  /** Given again while the row is not current, as on a machine that has much else to do: nothing is done then. */
  async #given(words: string[], isThere: () => boolean | Promise<boolean>): Promise<Running> {
    let running = this.#cells.home.fleet(...words);
    await until(async () => {
      const { child, stdout, stderr } = running;
      if (child.exitCode === EXIT_NOT_CURRENT) running = this.#cells.home.fleet(...words);
      else if (child.exitCode !== null) throw new Error(`exit ${child.exitCode}: ${stdout}${stderr}`);
      return await isThere();
    }, SOON);
    return running;
  }

  async #outcome(cell: CellProcess, id: string) {
    const { outcome, reason, address, verb, actor, beganMs, endedMs } = await cell.admin((channel) =>
      channel.unary(getOrder, { id }, DEADLINE),
    );
    return { outcome, reason, address, verb, actor, beganMs, endedMs };
  }

  get #log(): string {
    return `${this.#cells.acme.home}/${this.told}.submitted`;
  }
}

/** Of an order in whose midst the fault came: told so to its giver, or closed when its giver or its controller was gone. */
const UNKNOWN = /^(done unknown|ended unknown: .+)$/;

/** A person who leaves has seen what there was to see. */
const EXIT_LEFT = 0;
const EXIT_NOT_CURRENT = 5;

const firstEnd = (records: readonly AuditRecord[]): string => {
  const [begun] = records;
  const end = records.find(({ call, outcome }) => call === begun?.call && outcome !== 'allowed');
  return `${end?.outcome} ${end?.reason}`;
};

const FIONREAD = `
import fcntl, os, struct, sys, termios
terminal = os.open(sys.argv[1], os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
print(struct.unpack('i', fcntl.ioctl(terminal, termios.FIONREAD, b'    '))[0])
`;

/** Typed at a terminal, and not read by its program yet. */
const unreadBytes = (tty: string): number =>
  Number(execFileSync('python3', ['-c', FIONREAD, tty], { encoding: 'utf8', timeout: 10_000 }));

/** Calls that have begun and not ended. */
const openCalls = (records: readonly AuditRecord[]): string[] => {
  const open = new Set<string>();
  for (const { call, outcome } of records) {
    if (outcome === 'began' || outcome === 'allowed') open.add(call);
    else open.delete(call);
  }
  return [...open];
};
