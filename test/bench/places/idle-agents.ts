/** One machine with twenty idle agents of a roster that beat as the first users' do, its uplink through a counter. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { takeSnapshot } from '../../../src/cli/client/snapshot.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { until } from '../../helpers/until.ts';
import type { Bench } from '../harness/bench.ts';
import { CountingProxy } from '../harness/counting-proxy.ts';
import type { Daemon, Machine } from '../harness/machine.ts';

export const AGENTS = 20;
const BEAT_MS = 15_000;
const SOCKET = 'mosaic-fleet';

export interface IdleAgents extends AsyncDisposable {
  machine: Machine;
  hostAgent: Daemon;
  uplink: CountingProxy;
}

export const idleAgents = async (bench: Bench): Promise<IdleAgents> => {
  await using stack = new AsyncDisposableStack();
  const cell = stack.use(bench.machine('cell'));
  await cell.start('controller');
  const [host, port] = (await cell.controllerAddress()).split(':') as [string, string];
  const uplink = stack.use(await CountingProxy.start({ host, port: Number(port) }));
  const machine = stack.use(bench.machine('W-jarvis'));
  const names = Array.from({ length: AGENTS }, (_, each) => `agent-${String(each).padStart(2, '0')}`);
  writeRoster(machine, names);
  for (const name of names) await machine.tmuxOn(SOCKET, 'new-session', '-d', '-s', name, 'exec cat');
  const panes = (await machine.tmuxOn(SOCKET, 'list-panes', '-a', '-F', '#{session_name} #{pane_pid}')).trim();
  const pids = new Map(panes.split('\n').map((line) => line.split(' ') as [string, string]));
  const beat = (): void => {
    for (const name of names) writeHeartbeat(machine, name, pids.get(name) as string);
  };
  beat();
  const beating = setInterval(beat, BEAT_MS);
  stack.defer(() => clearInterval(beating));
  const hostAgent = await machine.start('host-agent');
  await machine.join(await cell.token(machine.name, userInfo().username), [uplink.address]);
  await until(async () => (await healthy(machine)) === AGENTS, { timeoutMs: 15_000 });
  const all = stack.move();
  return { machine, hostAgent, uplink, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

/** Of this machine only: nobody has asked for the whole fleet here. */
const healthy = async (machine: Machine): Promise<number> => {
  const mirror = await takeSnapshot(machine.paths, { localOnly: true, hostsOnly: false, clock: systemClock });
  const rows = [...mirror.hostAgentIds()].flatMap((id) => [...mirror.rowsOf(id)]);
  return rows.filter(({ row }) => row.heartbeat.state === 'healthy' && row.tmux !== null).length;
};

const writeRoster = (machine: Machine, names: readonly string[]): void => {
  const folder = join(machine.paths.mosaicHome, 'fleet');
  mkdirSync(join(folder, 'run'), { recursive: true, mode: 0o700 });
  const agents = names.map((name) => `  - { name: ${name}, runtime: codex, class: coder, socket: ${SOCKET} }`);
  const head = ['version: 1', 'transport: tmux', `tmux: { socket_name: ${SOCKET} }`, 'agents:'];
  writeFileSync(join(folder, 'roster.yaml'), `${[...head, ...agents].join('\n')}\n`);
};

const writeHeartbeat = (machine: Machine, name: string, pid: string): void => {
  const file = join(machine.paths.mosaicHome, 'fleet/run', `${name}.hb`);
  writeFileSync(`${file}.tmp`, `ts=${Math.floor(Date.now() / 1_000)}\npid=${pid}\nstatus=ok\n`);
  renameSync(`${file}.tmp`, file);
};
