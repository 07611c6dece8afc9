/** Two controllers with a host-agent each: one has all hosts itself, the other sees as many through five peers. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { addGrant } from '../../../src/cli/client/grant-methods.ts';
import { acceptPeer, invitePeer, listPeers } from '../../../src/cli/client/peer-methods.ts';
import { until } from '../../helpers/until.ts';
import type { Bench } from '../harness/bench.ts';
import type { Machine } from '../harness/machine.ts';
import { Swarm } from '../swarm/swarm.ts';
import { connected } from './thousand-hosts.ts';

export const PEERS = 5;
export const ROWS_PER_PEER = 2_000;
export const ROWS = PEERS * ROWS_PER_PEER;
const AGENTS_PER_HOST = 100;
const DEADLINE = { deadlineMs: 20_000 };
const SETTLE = { timeoutMs: 60_000 };

export interface FivePeers extends AsyncDisposable {
  local: Machine;
  federated: Machine;
}

export const fivePeers = async (bench: Bench): Promise<FivePeers> => {
  await using stack = new AsyncDisposableStack();
  const cell = async (name: string, rows: number): Promise<Machine> => {
    const machine = stack.use(bench.machine(name));
    await machine.start('controller', { cell: name });
    if (rows === 0) return machine;
    const swarm = stack.use(new Swarm(join(machine.home, 'swarm'), { processes: 1 }));
    const hosts = rows / AGENTS_PER_HOST;
    await swarm.enrol(machine, { hosts, agentsPerHost: AGENTS_PER_HOST });
    await until(async () => (await connected(machine)) === hosts, SETTLE);
    return machine;
  };
  const local = await cell('local', ROWS);
  const federated = await cell('asking', 0);
  for (let each = 0; each < PEERS; each++) await befriend(federated, await cell(`peer-${each}`, ROWS_PER_PEER));
  for (const machine of [local, federated]) {
    await machine.start('host-agent');
    await machine.join(await machine.token(machine.name, userInfo().username));
  }
  await until(async () => (await heldRows(federated)) === ROWS, SETTLE);
  bench.say(`${ROWS} rows at one controller, and as many at another through ${PEERS} peers`);
  const all = stack.move();
  return { local, federated, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

/** All rows of one cell are granted to the other. */
const befriend = async (asking: Machine, owner: Machine): Promise<void> => {
  const { token } = await owner.ask(owner.admin, (channel) =>
    channel.unary(invitePeer, { cell: asking.name, tenants: [], validSeconds: 0 }, DEADLINE),
  );
  await asking.ask(asking.admin, (channel) => channel.unary(acceptPeer, { token, tenants: [] }, DEADLINE));
  const grant = {
    peer: asking.name,
    tenants: ['default'],
    hosts: ['*'],
    agents: ['*'],
    verbs: ['observe', 'watch'],
    rowLimit: ROWS_PER_PEER,
    validMs: 0,
    dryRun: false,
  };
  await owner.ask(owner.admin, (channel) => channel.unary(addGrant, grant, DEADLINE));
};

const heldRows = async (machine: Machine): Promise<number> => {
  const { peers } = await machine.ask(machine.admin, (channel) => channel.unary(listPeers, {}, DEADLINE));
  return peers.reduce((sum, { rows }) => sum + rows, 0);
};
