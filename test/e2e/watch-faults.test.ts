/**
 * One viewer over every fault of the way between two machines: it never goes blank, says what it misses, goes on by itself,
 * and nothing is left behind where the agent runs. It ends only when the agent's session really has.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { daemonPid } from '../helpers/fault-ground.ts';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, type Seat, see } from '../helpers/fleet-seen.ts';
import { Desk, HostPane, type PaneLook, untilLeft, untilSame } from '../helpers/host-pane.ts';
import type { WorkloadProcess } from '../helpers/testbed/workload.ts';
import { tmuxClients } from '../helpers/tmux-clients.ts';
import { until } from '../helpers/until.ts';

const WATCH = '~/.local/bin/fleet watch dragon-lin/canvas';
const SERVER = 'canvas';
const NO_DATA = /no data for \d+s \(/;
const ground = fleetGround();
let desk: Desk;
let source: HostPane;
let viewer: HostPane;
let workload: WorkloadProcess[];

const onDragon = (command: string) => ground.pair.dragon.mustSsh('jwoltje', command);
const clients = () => tmuxClients(ground.dragon, { server: SERVER });
/** What a fault may not leave more of: clients, sessions and processes of ours. */
const presence = async () => ({
  clients: (await clients()).length,
  sessions: await onDragon("for s in default canvas; do tmux -L $s list-sessions -F '#{session_name}'; done"),
  ours: (await onDragon('ps -u jwoltje -o args=')).split('\n').filter((line) => /tmux .*-C |fleet/.test(line)).length,
});
const SHELL = "env LANG=C.UTF-8 PS1='> ' bash --norc --noprofile";
const startSource = async (): Promise<void> => {
  await onDragon(`cd ~ && tmux -u -L ${SERVER} new-session -d -s canvas -x 100 -y 30 "${SHELL}"`);
  await source.untilShows(/^>$/);
  await until(async () => agentsOf(await see(ground.jarvis), 'dragon-lin').some(({ agent }) => agent === 'canvas'), {
    timeoutMs: 40_000,
  });
};
const isLive = async (): Promise<PaneLook> => {
  await viewer.untilShows('canvas · live ·', 60_000);
  return untilSame(source, viewer, 60_000);
};
/** Looks at the viewer all the time until the fault is over: what was on the screen before it must always be there. */
const neverBlank = async (mark: string, fault: () => Promise<void>): Promise<string[]> => {
  let isOver = false;
  const lines: string[] = [];
  const looking = (async () => {
    while (!isOver) {
      const { rows } = await viewer.look();
      lines.push(rows.at(-1) ?? '');
      if (!rows.includes(mark)) throw new Error(`the view was without "${mark}":\n${rows.join('\n').trimEnd()}`);
    }
  })();
  const failed = looking.catch((error: unknown) => error);
  await fault().finally(() => {
    isOver = true;
  });
  const error = await failed;
  if (error !== undefined) throw error;
  return lines;
};

beforeAll(async () => {
  source = new HostPane(ground.dragon, 'canvas', SERVER);
  desk = new Desk(ground.jarvis);
  await startSource();
  viewer = await desk.sit('viewer', WATCH);
});
afterAll(() => desk?.close());
beforeEach(() => {
  workload = ground.pair.dragon.workload();
});
afterEach(async () => {
  await ground.pair?.dragon.mendCable();
});

describe('one viewer goes on over', () => {
  test('a cut cable: the last picture stays, the missing time is told, and what happened meanwhile is there after it', async () => {
    const { pair } = ground;
    await source.type('echo before the cut');
    await isLive();
    await pair.dragon.cutCable();
    await neverBlank('before the cut', async () => {
      await viewer.untilShows(NO_DATA, 30_000);
      await source.type('echo during the cut');
      await viewer.untilShows(/no data for (?:[89]|\d\d)s \((?:resuming|lost): silent\)/, 30_000);
    });
    expect((await viewer.look()).rows).not.toContain('during the cut');
    await pair.dragon.mendCable();
    expect((await isLive()).rows).toContain('during the cut');
    expect(pair.dragon.workload()).toEqual(workload);
    await untilWhole(pair);
  });

  const seats: Record<string, () => Seat> = { 'W-jarvis': () => ground.jarvis, 'dragon-lin': () => ground.dragon };
  test.each([
    ['the controller, restarted', 'W-jarvis', 'controller', 'restart'],
    ['the controller, killed', 'W-jarvis', 'controller', 'kill -s KILL'],
    ['the host-agent of the agent, restarted', 'dragon-lin', 'host-agent', 'restart'],
    ['the host-agent of the agent, killed', 'dragon-lin', 'host-agent', 'kill -s KILL'],
    ['the host-agent here, restarted', 'W-jarvis', 'host-agent', 'restart'],
    ['the host-agent here, killed', 'W-jarvis', 'host-agent', 'kill -s KILL'],
  ] as const)('%s', async (name, where, daemon, verb) => {
    const seat = (seats[where] as () => Seat)();
    await isLive();
    await until(async () => (await clients()).length === 2, { timeoutMs: 40_000 });
    const before = await presence();
    await source.type(`clear; echo before ${name}`);
    await source.untilShows(`before ${name}`);
    await isLive();
    const pid = await daemonPid(seat, daemon);
    await neverBlank(`before ${name}`, async () => {
      await seat.host.mustSsh(seat.user, `systemctl --user ${verb} fleet-${daemon}`);
      await until(async () => ![0, pid].includes(await daemonPid(seat, daemon)), { timeoutMs: 30_000 });
      await source.type(`echo after ${name}`);
      await viewer.untilShows(new RegExp(`^after ${name}$`), 60_000);
    });
    await isLive();
    expect(ground.pair.dragon.workload()).toEqual(workload);
    await until(
      async () => {
        const now = await presence();
        expect(now).toEqual(before);
        return true;
      },
      { timeoutMs: 30_000 },
    );
    await untilWhole(ground.pair);
  });

  test('its pane, started again with another program', async () => {
    await source.tmux('respawn-pane', '-k', `echo another life; ${SHELL}`);
    await source.untilShows('another life');
    expect((await isLive()).rows).toContain('another life');
    await source.type('echo and it goes on');
    await viewer.untilShows(/^and it goes on$/);
  });
});

describe('whoever watches leaves nothing behind', () => {
  test('killed at once, it gives the terminal back and its place at the agent', async () => {
    await until(async () => (await clients()).length === 2, { timeoutMs: 40_000 });
    const shell = await viewer.fact('#{pane_pid}');
    await ground.pair.jarvis.asRoot(`kill -9 $(cat /proc/${shell}/task/${shell}/children)`);
    await untilLeft(viewer, 137);
    await until(async () => (await clients()).length === 1, { timeoutMs: 40_000 });
    expect(ground.pair.dragon.workload()).toEqual(workload);
  });
});

describe('it ends with 0, and says why, when', () => {
  test('the session ends', async () => {
    await onDragon(`tmux -L ${SERVER} new-session -d -s brief -x 80 -y 20 'echo I am brief; cat'`);
    await until(async () => agentsOf(await see(ground.jarvis), 'dragon-lin').some(({ agent }) => agent === 'brief'), {
      timeoutMs: 40_000,
    });
    const brief = await desk.sit('brief', WATCH.replace('canvas', 'brief'));
    await brief.untilShows('I am brief');
    await onDragon(`tmux -L ${SERVER} kill-session -t =brief`);
    expect(await untilLeft(brief, 0)).toContain('brief: the session ended');
  });

  test('its tmux server is killed', async () => {
    viewer = await desk.sit('last', WATCH);
    await viewer.untilShows('canvas · live ·');
    await onDragon(`kill -9 $(tmux -L ${SERVER} display-message -p '#{pid}')`);
    expect(await untilLeft(viewer, 0)).toMatch(/canvas: (?:its tmux server|the session) ended/);
    expect(await onDragon("tmux list-sessions -F '#{session_name}'")).toBe('coder0-0\n');
  });
});
