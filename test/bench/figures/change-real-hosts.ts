/**
 * A change on one real host as `fleet ps -w` shows it on the other: sessions of dragon-lin seen on W-jarvis, a unit of
 * W-jarvis seen on dragon-lin. From the moment before the command that changes it; both hosts share the kernel's clock.
 */
import type { Host } from '../../helpers/testbed/host.ts';
import type { RunningCommand } from '../../helpers/testbed/ssh-line.ts';
import { until } from '../../helpers/until.ts';
import { type Figure, figure, measured, notMeasured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { summary } from '../harness/statistics.ts';
import { type TwoHosts, twoHosts } from '../places/two-hosts.ts';

const REACH_MS = 100;
const CHANGES = 40;
const STEP_SECONDS = 0.4;
const TIMEOUT_MS = 60_000;

/** A unit of an agent that is there already, so that its row shows it. */
const UNIT_FILE = '/home/jarvis/.config/systemd/user/mosaic-agent@notes.service';
const UNIT = '[Service]\nType=exec\nExecStart=/bin/sleep infinity\n';

interface Seat {
  host: Host;
  user: string;
}

interface Script {
  at: Seat;
  /** Shell; `$round` counts from 1. It has happened when it returns. */
  change: string;
  /** The line of ps -w by which change number `round` is shown. */
  // biome-ignore lint/suspicious/noExplicitAny: the contract's own JSON, of which each script looks at one field
  isShown(line: any, round: number): boolean;
}

const nowMs = (): number => performance.timeOrigin + performance.now();

const watch = ({ host, user }: Seat): Promise<RunningCommand> =>
  host.start(user, 'exec "$HOME"/.local/bin/fleet ps -w');

/** Milliseconds from each change to its line. */
const timed = async (watcher: Seat, script: Script): Promise<number[]> => {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const lines: { atMs: number; line: any }[] = [];
  const feed = await watch(watcher);
  try {
    feed.onLine((text) => lines.push({ atMs: nowMs(), line: JSON.parse(text) }));
    await until(() => lines.some(({ line }) => line.event === 'agent'), { timeoutMs: 20_000 });
    const loop = `for round in $(seq ${CHANGES}); do echo "$round $EPOCHREALTIME"; ${script.change}; sleep ${STEP_SECONDS}; done`;
    const said = await script.at.host.ssh(script.at.user, 'bash -s', { input: loop, timeoutMs: TIMEOUT_MS });
    if (said.exitCode !== 0) throw new Error(`on ${script.at.host.name}: ${said.stderr}`);
    const starts = said.stdout
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[1]) * 1_000);
    if (starts.length !== CHANGES) throw new Error(`${starts.length} changes of ${CHANGES}`);
    const shownAt = (startMs: number, round: number) =>
      lines.find(({ atMs, line }) => atMs >= startMs && script.isShown(line, round))?.atMs;
    await until(() => shownAt(starts.at(-1) as number, CHANGES), { timeoutMs: 10_000 });
    return starts.map((startMs, index) => {
      const atMs = shownAt(startMs, index + 1);
      if (atMs === undefined) throw new Error(`change ${index + 1} was not shown`);
      return atMs - startMs;
    });
  } finally {
    await feed.stop();
  }
};

export const changeRealHosts: Figure = figure({
  name: 'change-real-hosts',
  about: `sessions and unit states of one real host in ps -w on the other, ${CHANGES} changes each`,
  place: twoHosts,
  async *measure({ pair, why }: TwoHosts) {
    if (pair === null) {
      yield notMeasured('change-real-hosts.sessions.p99', 'ms', REACH_MS, why);
      yield notMeasured('change-real-hosts.units.p99', 'ms', REACH_MS, why);
      return;
    }
    const jarvis = { host: pair.jarvis, user: 'jarvis' };
    const dragon = { host: pair.dragon, user: 'jwoltje' };
    const sessionsLoad = new MachineLoad();
    const sessions = summary(
      await timed(jarvis, {
        at: dragon,
        change: 'tmux -u new-session -d -s "bench-$round" "sleep 1000"',
        isShown: (line, round) => line.agent?.tmux?.session === `bench-${round}`,
      }),
    );
    yield measured('change-real-hosts.sessions.p99', sessions.p99, 'ms', REACH_MS, {
      ...sessions,
      machine_busy_percent: sessionsLoad.busyPercent,
    });
    await pair.jarvis.writeFile(UNIT_FILE, UNIT, { owner: 'jarvis' });
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user daemon-reload');
    const unitsLoad = new MachineLoad();
    const units = summary(
      await timed(dragon, {
        at: jarvis,
        change:
          'if [ $((round % 2)) = 1 ]; then systemctl --user start mosaic-agent@notes; else systemctl --user stop mosaic-agent@notes; fi',
        isShown: (line, round) =>
          line.agent?.agent === 'notes' && (line.agent.unit?.active_state === 'active') === (round % 2 === 1),
      }),
    );
    yield measured('change-real-hosts.units.p99', units.p99, 'ms', REACH_MS, {
      ...units,
      machine_busy_percent: unitsLoad.busyPercent,
    });
  },
});
