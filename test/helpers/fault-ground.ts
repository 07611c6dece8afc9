/**
 * The ground of a file of faults: one booted pair, whole again before each test, a running `fleet ps -w` on either side,
 * and what must not have changed afterwards.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { bootFleetPair, type FleetPairOptions, untilWhole } from './fleet-pair.ts';
import { FleetFeed, type Seat } from './fleet-seen.ts';
import type { MosaicPair } from './mosaic.ts';
import { keepEvidence } from './testbed/evidence.ts';
import type { Host } from './testbed/host.ts';
import { Testbed } from './testbed/testbed.ts';
import type { WorkloadProcess } from './testbed/workload.ts';
import { until } from './until.ts';

class FaultGround {
  bed!: Testbed;
  pair!: MosaicPair;
  jarvis!: Seat;
  dragon!: Seat;
  onJarvis!: FleetFeed;
  onDragon!: FleetFeed;
  #before!: WorkloadProcess[][];

  async boot(options: FleetPairOptions): Promise<void> {
    this.bed = await Testbed.start();
    this.pair = await bootFleetPair(this.bed, options);
    this.jarvis = { host: this.pair.jarvis, user: 'jarvis' };
    this.dragon = { host: this.pair.dragon, user: 'jwoltje' };
  }

  async settle(): Promise<void> {
    await untilWhole(this.pair);
    this.#before = this.#workloads();
    expect(this.#before.map(({ length }) => length > 1)).toEqual([true, true]);
    this.onJarvis = await FleetFeed.start(this.jarvis);
    this.onDragon = await FleetFeed.start(this.dragon);
  }

  /** Also where a test failed before it mended what it broke: the next one starts from a whole pair. */
  async leave(): Promise<void> {
    await this.onJarvis?.stop();
    await this.onDragon?.stop();
    for (const seat of [this.jarvis, this.dragon].filter((each) => each?.host.isOn)) {
      await seat.host.mendCable();
      const pids = [await daemonPid(seat, 'host-agent'), await daemonPid(seat, 'controller')].filter((pid) => pid > 0);
      if (pids.length > 0) await seat.host.thaw(pids);
    }
  }

  /** What the feeds tell from here on is what a fault makes them tell. */
  mark(): void {
    this.onJarvis.mark();
    this.onDragon.mark();
  }

  /** Asserts that every tmux server and every program in a pane is the very process that it was. */
  unharmed(): void {
    expect(this.#workloads()).toEqual(this.#before);
  }

  /** All is as it was, by itself, and no `ps -w` has ended over it. */
  async whole(): Promise<void> {
    await untilWhole(this.pair);
    this.unharmed();
    expect([this.onJarvis.hasEnded, this.onDragon.hasEnded]).toEqual([false, false]);
  }

  #workloads(): WorkloadProcess[][] {
    return [this.pair.jarvis.workload(), this.pair.dragon.workload()];
  }
}

/** Registers the hooks of a file. */
export const faultGround = (options: FleetPairOptions = {}): FaultGround => {
  const ground = new FaultGround();
  keepEvidence(() => ground.bed);
  beforeAll(() => ground.boot(options));
  beforeEach(() => ground.settle());
  afterEach(() => ground.leave());
  afterAll(() => ground.bed?.stop());
  return ground;
};

/** Pid of a user's daemon under its user unit; 0 while it does not run. */
export const daemonPid = async ({ host, user }: Seat, daemon: 'controller' | 'host-agent'): Promise<number> =>
  Number(await host.mustSsh(user, `systemctl --user show -P MainPID fleet-${daemon}`));

/** Until a daemon of a user has logged that; the journal takes its lines a moment after they were written. */
export const untilLogged = (
  host: Host,
  user: string,
  daemon: 'controller' | 'host-agent',
  words: string | RegExp,
): Promise<string> =>
  until(
    async () => {
      const log = await host.mustSsh(user, `journalctl --user -u fleet-${daemon} -o cat --no-pager -n 500`);
      if (!(typeof words === 'string' ? log.includes(words) : words.test(log))) throw new Error(`${words}: ${log}`);
      return log;
    },
    { timeoutMs: 20_000 },
  );

/** What is promised of how soon a line that falls silent is told as that: the test's own ways take some of the time. */
export const TOLD_MS = { resuming: 6_000 + 4_000, lost: 15_000 + 4_000 };
