/**
 * What each watched pane adds to the host-agent and to the controller: twenty agents, each with a full screen in colours,
 * watched from the other host. One was watched before, so that code which is loaded once is not counted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Figure, figure, measured } from '../harness/figure.ts';
import type { Daemon } from '../harness/machine.ts';
import { childrenOf, MachineLoad, readMemory } from '../harness/process-cost.ts';
import { Watching } from '../harness/watching.ts';
import { type Agent, HEIGHT, type WatchedPair, WIDTH, watchedPair } from '../places/watched-pair.ts';

const PANES = 20;
const SETTLE_MS = 4_000;
const SCREEN = `bash -c 'for row in {1..${HEIGHT - 1}}; do for word in {1..10}; do printf "\\e[3%dm%-11s\\e[0m" $(((row + word) % 8)) "word$row-$word"; done; echo; done; exec cat'`;

interface Held {
  rssMb: number;
  heldMb: number;
  childrenPssMb: number;
  children: number;
}

const held = async (daemon: Daemon): Promise<Held> => {
  const children = childrenOf(daemon.pid);
  const heldMb = (await daemon.loop.heldBytes()) / 1e6;
  const childrenPssMb = children.reduce((sum, pid) => sum + readMemory(pid).pssMb, 0);
  return { rssMb: readMemory(daemon.pid).rssMb, heldMb, childrenPssMb, children: children.length };
};

export const watchMemory: Figure = figure({
  name: 'watch-memory',
  about: `memory for each watched pane, ${PANES} of ${WIDTH}x${HEIGHT}`,
  place: watchedPair,
  async *measure(place: WatchedPair) {
    const load = new MachineLoad();
    const agents: Agent[] = [];
    for (let each = 0; each < PANES; each++) agents.push(await place.agent(`full-${each}`, SCREEN));
    const watchAll = async (of: readonly Agent[]) => {
      const watching = of.map((agent) => new Watching(place.jarvis.local, agent));
      for (const each of watching) await each.first();
      await pause(SETTLE_MS);
      return watching;
    };
    for (const each of await watchAll(agents.slice(0, 2))) await each[Symbol.asyncDispose]();
    await pause(SETTLE_MS);
    const daemons = { 'host-agent': place.dragonDaemon, controller: place.controller };
    const before = { 'host-agent': await held(daemons['host-agent']), controller: await held(daemons.controller) };
    const watching = await watchAll(agents);
    for (const name of ['host-agent', 'controller'] as const) {
      const [was, is] = [before[name], await held(daemons[name])];
      const each = (of: keyof Held): number => ((is[of] - was[of]) * 1_000) / PANES;
      yield measured(`watch-memory.${name}`, each('rssMb'), 'kB RSS a pane', null, {
        heap_and_buffers_kB: each('heldMb'),
        control_clients: is.children - was.children,
        control_clients_pss_kB: each('childrenPssMb'),
        rss_mb: is.rssMb,
        rss_before_mb: was.rssMb,
        how:
          watching.map(({ status }) => status?.source).join() === Array(PANES).fill('live').join() ? 'live' : 'polled',
        machine_busy_percent: load.busyPercent,
      });
    }
    for (const each of watching) await each[Symbol.asyncDispose]();
    for (const agent of agents) await place.end(agent);
  },
});
