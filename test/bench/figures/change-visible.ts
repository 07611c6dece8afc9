/**
 * From somebody's tmux command on dragon-lin to the line of a running `fleet ps -w` on W-jarvis: both host-agents, the
 * controller, mutual TLS and the CLI are in it, and so is the start of the tmux command itself.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ChangeLine } from '../harness/change-lines.ts';
import { type Figure, figure, type Measurement, measured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { summary } from '../harness/statistics.ts';
import { type TwoMachines, twoMachines } from '../places/two-machines.ts';

const STRUCTURE_REACH_MS = 100;
const CONTENT_REACH_MS = 1_200;
const ROUNDS = 50;
const CONTENT_ROUNDS = 12;
const TIMEOUT_MS = 5_000;
/** Longest pause between two changes. */
const STRUCTURE_STEP_MS = 200;
const CONTENT_STEP_MS = 1_000;

const timed = async (
  { lines, dragon }: TwoMachines,
  argv: string[],
  isIt: (line: ChangeLine) => boolean,
  stepMs = STRUCTURE_STEP_MS,
): Promise<number> => {
  // Never in step with a tick of anything.
  await pause(Math.random() * stepMs);
  const shown = lines.next(isIt, TIMEOUT_MS);
  const startMs = performance.now();
  const [line] = await Promise.all([shown, dragon.tmux(...argv)]);
  return line.atMs - startMs;
};

const sessionIs = (session: string) => (line: ChangeLine) => line.agent?.tmux?.session === session;

async function* structure(place: TwoMachines): AsyncGenerator<Measurement> {
  const load = new MachineLoad();
  const samples = { made: [] as number[], renamed: [] as number[], ended: [] as number[] };
  const fork: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = [`made-${round}`, `renamed-${round}`];
    samples.made.push(await timed(place, ['new-session', '-d', '-s', first, 'sleep 100000'], sessionIs(first)));
    samples.renamed.push(await timed(place, ['rename-session', '-t', `=${first}`, second], sessionIs(second)));
    const isGone = (line: ChangeLine) => line.event === 'agent_removed' && !!line.address?.endsWith(`/${second}`);
    samples.ended.push(await timed(place, ['kill-session', '-t', `=${second}`], isGone));
    const startMs = performance.now();
    await place.dragon.tmux('display-message', '-p', 'nothing');
    fork.push(performance.now() - startMs);
  }
  const all = summary(Object.values(samples).flat());
  yield measured('change-visible.structure.p99', all.p99, 'ms', STRUCTURE_REACH_MS, {
    ...all,
    made: summary(samples.made),
    renamed: summary(samples.renamed),
    ended: summary(samples.ended),
    tmux_command_alone: summary(fork),
    machine_busy_percent: load.busyPercent,
  });
}

async function* content(place: TwoMachines): AsyncGenerator<Measurement> {
  const session = 'content';
  await timed(place, ['new-session', '-d', '-s', session, 'sleep 100000'], sessionIs(session));
  const title: number[] = [];
  const command: number[] = [];
  for (let round = 0; round < CONTENT_ROUNDS; round++) {
    const text = `title ${round}`;
    const isTitled = (line: ChangeLine) => line.agent?.tmux?.title === text;
    title.push(await timed(place, ['select-pane', '-t', `=${session}:`, '-T', text], isTitled, CONTENT_STEP_MS));
    const program = round % 2 === 0 ? 'cat' : 'sleep';
    const runs = (line: ChangeLine) => sessionIs(session)(line) && line.agent.tmux.command === program;
    const argv = program === 'cat' ? ['cat'] : ['sleep', '100000'];
    command.push(await timed(place, ['respawn-pane', '-k', '-t', `=${session}:`, ...argv], runs, CONTENT_STEP_MS));
  }
  const all = summary([...title, ...command]);
  yield measured('change-visible.content', all.max, 'ms', CONTENT_REACH_MS, {
    ...all,
    title: summary(title),
    command: summary(command),
  });
}

export const changeVisible: Figure = figure({
  name: 'change-visible',
  about: `a change on one host, seen in ps -w on another (${ROUNDS * 3} changes)`,
  place: twoMachines,
  async *measure(place: TwoMachines) {
    yield* structure(place);
    yield* content(place);
  },
});
