/**
 * Fifty watchers of one agent that never rests: what each gets, what it costs the controller and the host, how often the
 * pane is looked at. Then watchers that stop reading join: what is held for each, and what the others still get.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { cpuPercent, MachineLoad, readCost } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { CountedWatching } from '../harness/watching.ts';
import { type Agent, type WatchedPair, watchedPair } from '../places/watched-pair.ts';

const WATCHERS = 50;
const STALLED = 10;
const HELD_REACH_BYTES = 256 * 1024;
const SETTLE_MS = 3_000;
const WINDOW_MS = 6_000;
/** Whose rate is looked at while others stall: few enough that the machine is not what slows them. */
const BESIDE = 10;
const ROUNDS = 3;
/** Until whoever does not read has filled all that lies between. */
const STALL_MS = 4_000;
const PROGRAM = fileURLToPath(new URL('../programs/busy-agent.mjs', import.meta.url));

/** tmux counts them itself: a hook that sets an option starts nothing. */
const countCaptures = async ({ dragon }: WatchedPair, { socket }: Agent): Promise<() => Promise<number>> => {
  await dragon.tmuxOn(socket, 'set-option', '-g', '@captures', '0');
  await dragon.tmuxOn(
    socket,
    'set-hook',
    '-g',
    'after-capture-pane',
    "set-option -gF @captures '#{e|+:#{@captures},1}'",
  );
  return async () => Number(await dragon.tmuxOn(socket, 'show-options', '-gv', '@captures'));
};

const window = async (place: WatchedPair, watchers: readonly CountedWatching[], captures: () => Promise<number>) => {
  const daemons = { controller: place.controller, host_agent: place.dragonDaemon, relay: place.jarvisDaemon };
  const costs = () => Object.entries(daemons).map(([name, { pid }]) => [name, readCost(pid)] as const);
  const load = new MachineLoad();
  const before = { frames: watchers.map(({ frames }) => frames), captures: await captures(), costs: new Map(costs()) };
  const bytes = watchers.reduce((sum, each) => sum + each.bytes, 0);
  const startMs = performance.now();
  await pause(WINDOW_MS);
  const seconds = (performance.now() - startMs) / 1_000;
  const perSecond = watchers.map(({ frames }, at) => (frames - (before.frames[at] as number)) / seconds);
  return {
    frames: summary(perSecond),
    slowest: Math.min(...perSecond),
    bytesPerFrame:
      (watchers.reduce((sum, each) => sum + each.bytes, 0) - bytes) / (perSecond.reduce((a, b) => a + b, 0) * seconds),
    captures: ((await captures()) - before.captures) / seconds,
    cpu: Object.fromEntries(
      costs().map(([name, after]) => [name, cpuPercent(before.costs.get(name) as typeof after, after)]),
    ),
    busy: load.busyPercent,
  };
};

type Window = Awaited<ReturnType<typeof window>>;

export const watchFanout: Figure = figure({
  name: 'watch-fanout',
  about: `${WATCHERS} watchers of one busy agent, then ${STALLED} more that do not read`,
  place: watchedPair,
  async *measure(place: WatchedPair) {
    const { jarvis, controller, jarvisDaemon, dragonDaemon } = place;
    const agent = await place.agent('busy', `exec '${process.execPath}' '${PROGRAM}'`);
    const captures = await countCaptures(place, agent);
    await using stack = new AsyncDisposableStack();
    const watchers: CountedWatching[] = [];
    stack.defer(async () => {
      for (const each of watchers) await each[Symbol.asyncDispose]();
    });
    const join = () => watchers.push(new CountedWatching(jarvis.local, agent));
    join();
    await pause(SETTLE_MS);
    const one = await window(place, watchers, captures);
    while (watchers.length < WATCHERS) join();
    await pause(SETTLE_MS);
    const many = await window(place, watchers, captures);
    yield measured('watch-fanout.frames', many.frames.median, '1/s for each', null, {
      slowest_watcher: many.slowest,
      watchers: WATCHERS,
      captures_per_second: many.captures,
      cpu_percent_of_a_core: many.cpu,
      bytes_per_frame: many.bytesPerFrame,
      with_one_watcher: {
        frames: one.frames.median,
        captures_per_second: one.captures,
        cpu_percent_of_a_core: one.cpu,
      },
      machine_busy_percent: many.busy,
    });

    while (watchers.length > BESIDE) await (watchers.pop() as CountedWatching)[Symbol.asyncDispose]();
    const held = async () => ({
      controller: await controller.loop.heldBytes(),
      relay: await jarvisDaemon.loop.heldBytes(),
      host: await dragonDaemon.loop.heldBytes(),
    });
    const [without, beside]: [Window[], Window[]] = [[], []];
    const added: Awaited<ReturnType<typeof held>>[] = [];
    const taken: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await pause(STALL_MS);
      const before = await held();
      without.push(await window(place, watchers, captures));
      const stalled = Array.from({ length: STALLED }, () => new CountedWatching(jarvis.local, agent));
      for (const watching of stalled) watching.pause();
      await pause(STALL_MS);
      const after = await held();
      beside.push(await window(place, watchers, captures));
      taken.push(...stalled.map(({ bytes }) => bytes));
      for (const watching of stalled) await watching[Symbol.asyncDispose]();
      const each = (of: keyof typeof after): number => (after[of] - before[of]) / STALLED;
      added.push({ controller: each('controller'), relay: each('relay'), host: each('host') });
    }
    const of = (name: keyof (typeof added)[number]): number => median(added.map((each) => each[name]));
    yield measured('watch-fanout.held-for-a-stalled-watcher', of('controller'), 'B', HELD_REACH_BYTES, {
      of: `heap and buffers of the controller, garbage collected, with ${STALLED} stalled and without, each`,
      rounds: added.map(({ controller: bytes }) => bytes),
      by_the_relaying_host_agent: of('relay'),
      by_the_host: of('host'),
      bytes_each_stalled_one_took: median(taken),
    });
    const rate = (windows: readonly Window[]): number => median(windows.map(({ frames }) => frames.median));
    yield measured('watch-fanout.others-slowed', rate(without) / rate(beside), 'times', null, {
      watchers: BESIDE,
      stalled: STALLED,
      frames_per_second: rate(beside),
      without_stalled: rate(without),
      slowest_watcher: median(beside.map(({ slowest }) => slowest)),
      captures_per_second: median(beside.map((each) => each.captures)),
      machine_busy_percent: median(beside.map(({ busy }) => busy)),
    });
    await stack.disposeAsync();
    await place.end(agent);
  },
});
