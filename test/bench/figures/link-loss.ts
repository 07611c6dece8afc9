/**
 * How soon `fleet ps -w` on W-jarvis shows that another host-agent was stopped, was killed, or can no longer be heard. The
 * stopped one is the shipped daemon; the cut one is shipped report code behind a proxy that swallows both directions.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FaultProxy } from '../../helpers/fault-proxy.ts';
import { SimulatedHost } from '../../helpers/simulated-host.ts';
import type { ChangeLine } from '../harness/change-lines.ts';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { summary } from '../harness/statistics.ts';
import { type TwoMachines, twoMachines } from '../places/two-machines.ts';

const STOP_REACH_MS = 1_000;
const RESUMING_REACH_MS = 6_000;
const LOST_REACH_MS = 15_000;
const STOPS = 5;
const CUTS = 3;
const TIMEOUT_MS = 30_000;
/** Longer than a beat: cuts fall anywhere between two of them. */
const STEP_MS = 2_500;

const linkIs =
  (host: string, isIt: (state: string) => boolean) =>
  ({ event, host_agent }: ChangeLine): boolean =>
    event === 'host_agent' && host_agent.host === host && isIt(host_agent.link.state);

/** Ends dragon-lin's daemon and brings it back; the time until its link was shown as down. */
const ended = async (place: TwoMachines, signal: NodeJS.Signals): Promise<number> => {
  const { lines, dragon } = place;
  const isDown = lines.next(
    linkIs(dragon.name, (state) => state !== 'connected'),
    TIMEOUT_MS,
  );
  const startMs = performance.now();
  await dragon.end(place.dragonDaemon, signal);
  const { atMs } = await isDown;
  const isBack = lines.next(
    linkIs(dragon.name, (state) => state === 'connected'),
    TIMEOUT_MS,
  );
  place.dragonDaemon = await dragon.start('host-agent');
  await isBack;
  await pause(Math.random() * STEP_MS);
  return atMs - startMs;
};

async function* stops(place: TwoMachines) {
  const stopped: number[] = [];
  const killed: number[] = [];
  for (let each = 0; each < STOPS; each++) {
    stopped.push(await ended(place, 'SIGTERM'));
    killed.push(await ended(place, 'SIGKILL'));
  }
  const worst = summary(stopped);
  yield measured('link-loss.clean-stop', worst.max, 'ms', STOP_REACH_MS, { ...worst, killed: summary(killed) });
}

async function* cuts({ lines, jarvis }: TwoMachines) {
  const host = 'cut-off';
  const port = Number((await jarvis.controllerAddress()).split(':').at(-1));
  await using proxy = await FaultProxy.start({ host: '127.0.0.1', port });
  const isNew = lines.next(
    linkIs(host, (state) => state === 'connected'),
    TIMEOUT_MS,
  );
  const simulated = await SimulatedHost.enrol({
    folder: join(jarvis.home, 'simulated'),
    token: await jarvis.token(host, 'u'),
    host,
    dials: [`127.0.0.1:${proxy.port}`],
  });
  simulated.start();
  try {
    await isNew;
    const resuming: number[] = [];
    const lost: number[] = [];
    for (let each = 0; each < CUTS; each++) {
      await pause(STEP_MS + Math.random() * STEP_MS);
      const shown = (state: string) =>
        lines.next(
          linkIs(host, (now) => now === state),
          TIMEOUT_MS,
        );
      const both = [shown('resuming'), shown('lost')] as const;
      const startMs = performance.now();
      proxy.halfOpen();
      resuming.push((await both[0]).atMs - startMs);
      lost.push((await both[1]).atMs - startMs);
      const isBack = shown('connected');
      proxy.mend();
      await isBack;
    }
    yield measured('link-loss.cut-resuming', Math.max(...resuming), 'ms', RESUMING_REACH_MS, { ...summary(resuming) });
    yield measured('link-loss.cut-lost', Math.max(...lost), 'ms', LOST_REACH_MS, { ...summary(lost) });
  } finally {
    proxy.mend();
    await simulated.stop();
  }
}

export const linkLoss: Figure = figure({
  name: 'link-loss',
  about: `a host-agent stopped, killed (${STOPS} times each) and cut off (${CUTS} times), as ps -w shows it`,
  place: twoMachines,
  async *measure(place: TwoMachines) {
    yield* stops(place);
    yield* cuts(place);
  },
});
