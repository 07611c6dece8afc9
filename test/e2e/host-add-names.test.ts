/** Whose name a machine's name is: two machines that claim one, two users of one machine, a machine of another cell. */
import { beforeAll, describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { fleetUp } from '../helpers/fleet-pair.ts';
import { agentsOf, hostAgentOf, type Seat, see } from '../helpers/fleet-seen.ts';
import { fleetProcessesOf, traceOf } from '../helpers/machine-trace.ts';
import { until } from '../helpers/until.ts';

const ground = fleetGround();

/** A third machine; no Node.js is on it, and its user lingers already. */
let spare: Seat;

beforeAll(async () => {
  const host = await ground.bed.boot('spare', { users: [{ name: 'ops', uid: 1000, linger: true }] });
  await ground.bed.trust(ground.pair.jarvis, 'jarvis', host, 'ops');
  await host.mustSsh('ops', 'tmux -u new-session -d -s builds');
  spare = { host, user: 'ops' };
});

const fleet = (...words: string[]) => ground.pair.jarvis.fleet('jarvis', words, { timeoutMs: 120_000 });

const lastWord = (stderr: string): string => stderr.trim().split('\n').at(-1) as string;

const hostAgents = async (): Promise<string[]> =>
  (await see(ground.jarvis)).hosts.flatMap(({ host, host_agents }) =>
    host_agents.map(({ user, link }) => `${host}/${user} ${link.state}`),
  );

/** The host-agent of W-jarvis hears of it from the controller. */
const untilHostAgents = (...expected: string[]) =>
  until(
    async () => {
      expect(await hostAgents()).toEqual(expected);
      return true;
    },
    { timeoutMs: 30_000 },
  );

describe('fleet host add', () => {
  test('refuses a name that another machine has, and names the two ways on', async () => {
    const before = [await hostAgents(), ground.pair.dragon.workload()];
    const { exitCode, stdout, stderr } = await fleet('host', 'add', 'ops@spare', '--name', 'dragon-lin');
    expect([exitCode, stdout]).toEqual([8, '']);
    expect(lastWord(stderr)).toBe(
      'fleet: the name dragon-lin belongs to another machine (enrolled for jwoltje): ' +
        'enrol this one with --name OTHER, or take the name over with --replace',
    );
    expect((await traceOf(spare)).filter((line) => /fleet/.test(line))).toEqual([]);
    expect([await hostAgents(), ground.pair.dragon.workload()]).toEqual(before);
  });

  test('brings Node.js to a machine without one, under the name that was asked for; host rm leaves its linger', async () => {
    const before = spare.host.workload();
    const added = await fleet('host', 'add', 'ops@spare', '--name', 'spare-1');
    expect([added.exitCode, added.stderr.match(/^fleet: .*/gm)]).toEqual([0, null]);
    expect(added.stderr).toMatch(/^ok node +uploaded node-\S+, \S+ MiB, checksum right$/m);
    expect(added.stdout).toMatch(/^ {4}builds +bash /m);
    await until(
      async () => {
        const told = { user: 'ops', agents: 1, current: true };
        expect(hostAgentOf(await see(ground.jarvis), 'spare-1')).toMatchObject(told);
        return (await see(spare)).agents.some(({ address }) => address === 'home/dragon-lin/jwoltje/coder0-0');
      },
      { timeoutMs: 30_000 },
    );

    const removed = await fleet('host', 'rm', 'spare-1', '--yes');
    expect(removed.exitCode).toBe(0);
    await until(async () => (await fleetProcessesOf(spare)).length === 0, { timeoutMs: 30_000 });
    expect((await traceOf(spare)).filter((line) => /fleet/.test(line))).toEqual([]);
    expect(await spare.host.asRoot('ls /var/lib/systemd/linger')).toBe('ops\n');
    expect(spare.host.workload()).toEqual(before);
  });

  test('takes a second user of a machine under the same name', async () => {
    const { bed, pair } = ground;
    await pair.dragon.asRoot('useradd -m -s /bin/bash -u 1001 acme');
    await bed.trust(pair.jarvis, 'jarvis', pair.dragon, 'acme');
    const { exitCode, stderr } = await fleet('host', 'add', 'acme@dragon-lin');
    expect([exitCode, stderr.match(/^fleet: .*/gm)]).toEqual([0, null]);
    await untilHostAgents('W-jarvis/jarvis connected', 'dragon-lin/acme connected', 'dragon-lin/jwoltje connected');
  });

  test('gives a name to another machine with --replace: the one that had it is cut off, its sessions untouched', async () => {
    const { pair, jarvis } = ground;
    const before = pair.dragon.workload();
    const { exitCode, stderr } = await fleet('host', 'add', 'ops@spare', '--name', 'dragon-lin', '--replace');
    expect([exitCode, stderr.match(/^fleet: .*/gm)]).toEqual([0, null]);
    await untilHostAgents('W-jarvis/jarvis connected', 'dragon-lin/ops connected');
    await until(
      async () =>
        agentsOf(await see(jarvis), 'dragon-lin')
          .map(({ agent }) => agent)
          .join() === 'builds',
      {
        timeoutMs: 30_000,
      },
    );
    const alone = await until(
      async () => {
        const said = await pair.dragon.fleet('jwoltje', ['ps']);
        return said.stderr.startsWith('LOCAL ONLY') && said;
      },
      { timeoutMs: 40_000 },
    );
    expect(alone.stderr).toMatch(/^LOCAL ONLY: controller \S+ refuses this host/);
    expect(alone.stdout).toMatch(/^ {4}coder0-0 /m);
    expect(pair.dragon.workload()).toEqual(before);
  });

  test('refuses a machine that belongs to another cell, unless it is to be taken over', async () => {
    expect((await fleet('host', 'rm', 'ops@spare', '--yes')).exitCode).toBe(0);
    await fleetUp(spare.host, 'ops');
    const refused = await fleet('host', 'add', 'ops@spare');
    expect([refused.exitCode, lastWord(refused.stderr)]).toEqual([
      8,
      'fleet: it is spare of another cell (home): --replace takes it over',
    ]);
    expect((await see(spare)).hosts.map(({ host }) => host)).toEqual(['spare']);
    const taken = await fleet('host', 'add', 'ops@spare', '--replace');
    expect([taken.exitCode, taken.stderr.match(/^fleet: .*/gm)]).toEqual([0, null]);
    await untilHostAgents('W-jarvis/jarvis connected', 'spare/ops connected');
  });
});
