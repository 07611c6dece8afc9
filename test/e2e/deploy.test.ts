/**
 * A roster made so on real machines: with the host-agent killed in between, over the power cord, and on the fleet that was
 * there before, which is only moved where that is asked.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentView } from '../../src/domain/agent-view.ts';
import { daemonPid } from '../helpers/fault-ground.ts';
import { fleetUp } from '../helpers/fleet-pair.ts';
import { hostAgentOf, type Seat, see } from '../helpers/fleet-seen.ts';
import { bootMosaicPair } from '../helpers/mosaic.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import type { Host } from '../helpers/testbed/host.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { until } from '../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
const STUB = join(import.meta.dirname, '../fixtures/mosaic/w-jarvis/.config/mosaic/fleet/dogfood-agent.py');

let bed: Testbed;
keepEvidence(() => bed);
beforeAll(async () => {
  bed = await Testbed.start();
});
afterAll(() => bed?.stop());

interface Told {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

const fleet = ({ host, user }: Seat, ...words: string[]): Promise<Told> =>
  host.fleet(user, words, { timeoutMs: 150_000 });

const untilRow = (seat: Seat, agent: string, is: (row: AgentView) => unknown): Promise<AgentView> =>
  until(async () => {
    const row = (await see(seat)).agents.find((each) => each.agent === agent);
    if (!row || !is(row)) throw new Error(`${agent} is ${JSON.stringify(row)?.slice(0, 1_500)}`);
    return row;
  }, SOON);
const runs = (row: AgentView): boolean => row.tmux?.dead === false && row.readiness === 'working';

/** As the owner of the account does it; every host-agent tells its policy within a beat. */
const letDeploy = async (seat: Seat): Promise<void> => {
  const { host, user } = seat;
  const path = `/home/${user}/.config/fleet/host-policy.json`;
  await host.writeFile(path, JSON.stringify({ control: 'deploy' }), { owner: user });
  await until(async () => hostAgentOf(await see(seat), host.name).control === 'deploy', SOON);
};

const unit = (name: string): string => `mosaic-agent@${name}.service`;
const bootState = async ({ host, user }: Seat, name: string): Promise<string> =>
  (await host.ssh(user, `systemctl --user is-enabled ${unit(name)}`)).stdout.trim();

describe('an empty host', () => {
  const ROSTER = `version: 2
defaults: { lifecycle: core, env: { MOSAIC_HEARTBEAT_INTERVAL: 2 } }
agents:
  - { name: steady, runtime: stub, class: coder, env: { GREETING: "it's $HOME" } }
  - { name: leaver, runtime: stub }
  - { name: worker, command: echo worked; exec sleep 1000, lifecycle: ephemeral }
`;
  const LATE = `${ROSTER}  - { name: late, runtime: stub }\n`;
  const HOME = '/home/ana';
  let host: Host;
  let ana: Seat;
  const roster = (text: string): Promise<void> =>
    host.writeFile(`${HOME}/.config/mosaic/fleet/roster.yaml`, text, { owner: 'ana' });

  beforeAll(async () => {
    host = await bed.boot('alone', { users: [{ name: 'ana', uid: 1000, linger: true }] });
    ana = { host, user: 'ana' };
    await fleetUp(host, 'ana');
    await host.writeFile(`${HOME}/.config/mosaic/fleet/dogfood-agent.py`, readFileSync(STUB), { owner: 'ana' });
    await roster(ROSTER);
  });

  test('has its agents by one apply, once its owner lets callers deploy', async () => {
    const refused = await fleet(ana, 'apply', '--yes');
    expect(refused).toMatchObject({ exitCode: 8, stdout: expect.stringContaining('fleet host control alone deploy') });
    await letDeploy(ana);
    const told = await fleet(ana, 'apply', '--yes');
    expect(told.exitCode, told.stderr + told.stdout).toBe(0);
    for (const name of ['steady', 'leaver', 'worker'])
      expect(await untilRow(ana, name, (row) => runs(row) && row.flags.length === 0)).toMatchObject({
        tmux: { socket: `/tmp/tmux-1000/fleet-${name}` },
      });
    expect(await Promise.all(['steady', 'leaver', 'worker'].map((name) => bootState(ana, name)))).toEqual([
      'enabled',
      'enabled',
      'disabled',
    ]);
    const again = await fleet(ana, 'apply', '--yes');
    expect(again).toMatchObject({ exitCode: 0 });
  });

  test('whose host-agent is killed at a deploy has it finished by the next apply', async () => {
    const others = async () => (await see(ana)).agents.map(({ agent, tmux }) => `${agent} ${tmux?.pid}`).sort();
    const before = await others();
    await roster(LATE);
    const first = fleet(ana, 'apply', '--yes');
    await until(
      async () => (await host.ssh('ana', `test -e ~/.config/systemd/user/${unit('late')}`)).exitCode === 0,
      SOON,
    );
    await host.kill(await daemonPid(ana, 'host-agent'), 'SIGKILL');
    const { exitCode, stdout, stderr } = await first;
    expect([0, 1, 3, 5, 7], stdout + stderr).toContain(exitCode);
    const told = await until(async () => {
      const each = await fleet(ana, 'apply', '--yes');
      if (each.exitCode !== 0) throw new Error(`exit ${each.exitCode}: ${each.stdout}${each.stderr}`);
      return each;
    }, SOON);
    expect(told.exitCode).toBe(0);
    await untilRow(
      ana,
      'late',
      (row) => runs(row) && row.unit?.unit_file_state === 'enabled' && row.flags.length === 0,
    );
    expect((await others()).filter((line) => !line.startsWith('late '))).toEqual(before);
  });

  test('whose host-agent is killed at a removal has it finished by the next one', async () => {
    const file = `~/.config/systemd/user/${unit('leaver')}`;
    const first = fleet(ana, 'rm', 'alone/leaver', '--yes');
    const isStopping = `systemctl --user is-active ${unit('leaver')} | grep -qv '^active'`;
    await until(async () => (await host.ssh('ana', `${isStopping} || ! test -e ${file}`)).exitCode === 0, SOON);
    await host.kill(await daemonPid(ana, 'host-agent'), 'SIGKILL');
    await first;
    await until(async () => {
      const rows = await see(ana);
      if (!rows.agents.some(({ agent }) => agent === 'leaver')) return true;
      const { exitCode, stdout, stderr } = await fleet(ana, 'rm', 'alone/leaver', '--yes');
      if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${stdout}${stderr}`);
      return null;
    }, SOON);
    await host.mustSsh('ana', `test ! -e ${file} && test ! -e ~/.local/state/fleet/launch/leaver`);
    await host.mustSsh('ana', 'test -e ~/.config/mosaic/fleet/agents/leaver.env');
    expect(await host.mustSsh('ana', 'cat ~/.config/mosaic/fleet/roster.yaml')).not.toContain('leaver');
  });

  test('that lost its power has its core agents back as the roster says, and nobody else', async () => {
    await host.mustSsh('ana', 'sync');
    await host.pullCord();
    await host.bootAgain();
    // Until then it is the shell that becomes it.
    const row = await untilRow(ana, 'steady', (each) => runs(each) && each.runtime_seen === 'stub');
    const environment = (await host.mustSsh('ana', `tr '\\0' '\\n' < /proc/${row.tmux!.pid}/environ`)).split('\n');
    for (const line of ['MOSAIC_AGENT_NAME=steady', 'MOSAIC_AGENT_CLASS=coder', "GREETING=it's $HOME"])
      expect(environment).toContain(line);
    await untilRow(ana, 'late', runs);
    const seen = await see(ana);
    expect(seen.agents.map(({ agent, tmux }) => [agent, tmux !== null])).toEqual([
      ['steady', true],
      ['worker', false],
      ['late', true],
    ]);
  });
});

describe('the fleet that was there before', () => {
  test('is enabled in its own layout and left alone; one agent is moved where that is asked, and comes back by its own unit', async () => {
    const { jarvis } = await bootMosaicPair(bed, { heartbeatIntervalSeconds: 1 });
    const seat = { host: jarvis, user: 'jarvis' };
    await fleetUp(jarvis, 'jarvis');
    await letDeploy(seat);
    await untilRow(seat, 'dogfood-coder', runs);
    const units = 'ls ~/.config/systemd/user/*.service | grep -v /fleet-';
    const files = await jarvis.mustSsh('jarvis', units);
    const workload = jarvis.workload();

    const told = await fleet(seat, 'apply', '--yes');
    expect(told.exitCode, told.stderr + told.stdout).toBe(0);
    expect(jarvis.workload()).toEqual(workload);
    expect(await jarvis.mustSsh('jarvis', units)).toBe(files);
    await untilRow(
      seat,
      'dogfood-orchestrator',
      (row) => row.unit?.unit_file_state === 'enabled' && row.flags.length === 0,
    );

    const before = await untilRow(seat, 'dogfood-coder', runs);
    const moved = await fleet(seat, 'apply', '--migrate=dogfood-coder', '--yes');
    expect(moved.exitCode, moved.stderr + moved.stdout).toBe(0);
    await untilRow(
      seat,
      'dogfood-coder',
      (row) =>
        runs(row) && row.tmux?.socket === '/tmp/tmux-1000/fleet-dogfood-coder' && row.unit?.sub_state === 'running',
    );
    const own = new Set([before.tmux?.pid]);
    const others = workload.filter(({ pid }) => !own.has(pid)).map(({ pid, startTicks }) => `${pid} ${startTicks}`);
    const left = jarvis.workload().map(({ pid, startTicks }) => `${pid} ${startTicks}`);
    expect(left).toEqual(expect.arrayContaining(others));
    expect(await jarvis.mustSsh('jarvis', "tmux -L mosaic-factory list-sessions -F '#S'")).not.toContain(
      'dogfood-coder',
    );
  });
});
