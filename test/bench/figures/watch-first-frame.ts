/**
 * From asking on W-jarvis to the first frame of an agent on dragon-lin that nobody watched before: socket, relay,
 * controller, tunnel, tmux and back. The whole `fleet watch --once` is told beside it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { summary } from '../harness/statistics.ts';
import { interleaved } from '../harness/timed-run.ts';
import { Watching } from '../harness/watching.ts';
import { type Agent, type WatchedPair, watchedPair } from '../places/watched-pair.ts';

const REACH_MS = 200;
const ROUNDS = 100;
const PROCESS_ROUNDS = 10;
/** Longest pause between two: a tick of anything is met at any of its moments. */
const STEP_MS = 200;
const SCREEN = `bash -c 'for row in {1..39}; do printf "\\e[3%dm%-100s\\e[0m|\\n" $((row % 8)) "row $row of a screen in colours"; done; exec cat'`;

const firstFrame = async ({ jarvis }: WatchedPair, agent: Agent): Promise<number> => {
  const startMs = performance.now();
  await using watching = new Watching(jarvis.local, agent);
  const { frame, atMs } = await watching.first();
  if (!frame.keyframe || frame.rows.length < 39) throw new Error(`the first frame held ${frame.rows.length} rows`);
  return atMs - startMs;
};

export const watchFirstFrame: Figure = figure({
  name: 'watch-first-frame',
  about: `the first frame of another host's agent (${ROUNDS} watches)`,
  place: watchedPair,
  async *measure(place: WatchedPair) {
    const agent = await place.agent('first-frame', SCREEN);
    const firstEverMs = await firstFrame(place, agent);
    const load = new MachineLoad();
    const samples: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await pause(Math.random() * STEP_MS);
      samples.push(await firstFrame(place, agent));
    }
    const busy = load.busyPercent;
    const { jarvis } = place;
    const programs = {
      once: jarvis.fleetArgv('watch', '--once', `${place.dragon.name}/${agent.name}`),
      version: jarvis.fleetArgv('version'),
    };
    const runs = await interleaved(programs, jarvis.env, PROCESS_ROUNDS);
    const all = summary(samples);
    yield measured('watch-first-frame.p99', all.p99, 'ms', REACH_MS, {
      ...all,
      first_ever_ms: firstEverMs,
      whole_fleet_watch_once_ms: summary(runs.once.map(({ wallMs }) => wallMs)),
      fleet_version_ms: summary(runs.version.map(({ wallMs }) => wallMs)),
      machine_busy_percent: busy,
    });
    await place.end(agent);
  },
});
