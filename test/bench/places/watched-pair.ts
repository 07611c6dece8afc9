/**
 * Two played machines in one cell: whoever looks is on W-jarvis, the agents are on dragon-lin, each alone on a tmux server
 * of its own as the launcher makes them. `countedPair` is the same with dragon-lin's uplink through a counter.
 */
import { userInfo } from 'node:os';
import { takeSnapshot } from '../../../src/cli/client/snapshot.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { until } from '../../helpers/until.ts';
import type { Bench } from '../harness/bench.ts';
import { CountingProxy } from '../harness/counting-proxy.ts';
import type { Daemon, Machine } from '../harness/machine.ts';

export const WIDTH = 120;
export const HEIGHT = 40;
const SHOWN_TIMEOUT_MS = 20_000;

/** On dragon-lin. */
export interface Session {
  name: string;
  /** Name of its tmux socket. */
  socket: string;
}

export interface Agent extends Session {
  /** Of its row. */
  key: string;
  hostAgent: string;
}

export interface WatchedPair extends AsyncDisposable {
  jarvis: Machine;
  dragon: Machine;
  controller: Daemon;
  jarvisDaemon: Daemon;
  dragonDaemon: Daemon;
  /** null where nothing counts. */
  uplink: CountingProxy | null;
  /** Starts a program as an agent on dragon-lin; resolves when W-jarvis sees its row. */
  agent(name: string, program: string, options?: { socket?: string }): Promise<Agent>;
  /** Starts the session that only keeps a shared server alive on dragon-lin: it is no agent and has no row. */
  holder(socket: string): Promise<Session>;
  end(session: Session): Promise<void>;
}

const pairOf = async (bench: Bench, isCounted: boolean): Promise<WatchedPair> => {
  await using stack = new AsyncDisposableStack();
  const jarvis = stack.use(bench.machine('W-jarvis'));
  const dragon = stack.use(bench.machine('dragon-lin'));
  const { username } = userInfo();
  const controller = await jarvis.start('controller');
  const jarvisDaemon = await jarvis.start('host-agent');
  await jarvis.join(await jarvis.token(jarvis.name, username));
  const dragonDaemon = await dragon.start('host-agent');
  const [host, port] = (await jarvis.controllerAddress()).split(':') as [string, string];
  const uplink = isCounted ? stack.use(await CountingProxy.start({ host, port: Number(port) })) : null;
  await dragon.join(await jarvis.token(dragon.name, username), uplink ? [uplink.address] : []);
  const hostAgent = `${dragon.name}/${username}`;
  const begin = async ({ name, socket }: Session, program: string): Promise<void> => {
    const size = ['-x', String(WIDTH), '-y', String(HEIGHT)];
    await dragon.tmuxOn(socket, 'new-session', '-d', '-s', name, ...size, program);
    await dragon.tmuxOn(socket, 'set-option', '-g', 'status', 'off');
    // Of this window only: with it for all, tmux 3.3a ends at the next new-session.
    await dragon.tmuxOn(socket, 'set-option', '-w', '-t', `=${name}:`, 'window-size', 'manual');
  };
  const agent: WatchedPair['agent'] = async (name, program, { socket = name } = {}) => {
    await begin({ name, socket }, program);
    const key = await until(() => keyOf(jarvis, hostAgent, name), { timeoutMs: SHOWN_TIMEOUT_MS });
    return { name, key, hostAgent, socket };
  };
  const holder: WatchedPair['holder'] = async (socket) => {
    const session = { name: '_holder', socket };
    await begin(session, 'exec sleep infinity');
    return session;
  };
  const end: WatchedPair['end'] = async ({ socket, name }) => {
    await dragon.tmuxOn(socket, 'kill-session', '-t', `=${name}`);
  };
  const all = stack.move();
  const dispose = () => all.disposeAsync();
  return {
    ...{ jarvis, dragon, controller, jarvisDaemon, dragonDaemon, uplink },
    ...{ agent, holder, end, [Symbol.asyncDispose]: dispose },
  };
};

export const watchedPair = (bench: Bench): Promise<WatchedPair> => pairOf(bench, false);
export const countedPair = (bench: Bench): Promise<WatchedPair> => pairOf(bench, true);

const keyOf = async (from: Machine, hostAgent: string, session: string): Promise<string | undefined> => {
  const mirror = await takeSnapshot(from.paths, { localOnly: false, hostsOnly: false, clock: systemClock });
  return [...mirror.rowsOf(hostAgent)].find(({ row }) => row.tmux?.session === session && row.tmux.paneId)?.row.key;
};
