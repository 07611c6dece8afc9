/** Agents of two machines are stopped, started and restarted in their own layouts, and nobody else is touched. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentView } from '../../src/domain/agent-view.ts';
import { daemonPid } from '../helpers/fault-ground.ts';
import { bootFleetPair, untilWhole } from '../helpers/fleet-pair.ts';
import { type Seat, see } from '../helpers/fleet-seen.ts';
import { MOSAIC_AGENTS, type MosaicPair } from '../helpers/mosaic.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { until } from '../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
const UNITS = '.config/systemd/user';
const AGENT_UNIT = '/home/jarvis/.config/systemd/user/mosaic-agent@.service';

let bed: Testbed;
let pair: MosaicPair;
let jarvis: Seat;
keepEvidence(() => bed);

/** One server for each agent, as its unit's main process: another layout than that of W-jarvis. */
const SCOUT_UNIT = `[Unit]
Description=Agent %i, in a tmux server of its own

[Service]
Type=exec
ExecStart=/usr/bin/tmux -u -D -L %i -f %h/agents/%i.conf
`;
const SCOUT_CONF = `set-option -s exit-empty on
new-session -d -s scout -x 120 -y 40 "exec python3 /home/jwoltje/agents/dogfood-agent.py"
`;
const SCOUT_ROSTER = `version: 1
transport: tmux
agents:
  - name: scout
    runtime: stub
    class: scout
    socket: scout
`;

const installScout = async (): Promise<void> => {
  const home = '/home/jwoltje';
  const owner = { owner: 'jwoltje' };
  const stub = await pair.jarvis.mustSsh('jarvis', 'cat ~/.config/mosaic/fleet/dogfood-agent.py');
  await pair.dragon.writeFile(`${home}/agents/dogfood-agent.py`, stub, owner);
  await pair.dragon.writeFile(`${home}/agents/scout.conf`, SCOUT_CONF, owner);
  await pair.dragon.writeFile(`${home}/${UNITS}/mosaic-agent@.service`, SCOUT_UNIT, owner);
  await pair.dragon.writeFile(`${home}/.config/mosaic/fleet/roster.yaml`, SCOUT_ROSTER, owner);
  await pair.dragon.mustSsh('jwoltje', 'systemctl --user daemon-reload');
};

beforeAll(async () => {
  bed = await Testbed.start();
  pair = await bootFleetPair(bed);
  jarvis = { host: pair.jarvis, user: 'jarvis' };
  await installScout();
  await untilWhole(pair);
  await untilRow('scout', (row) => row?.managed === true && row.readiness === 'dead');
});
afterAll(() => bed?.stop());

interface Told {
  exitCode: number | null;
  orders: { id: string; address: string; outcome: string; reason: string | null; repeated: boolean }[];
  stderr: string;
}

const fleet = async (...words: string[]): Promise<Told> => {
  const { exitCode, stdout, stderr } = await pair.jarvis.fleet('jarvis', [...words, '-o', 'json'], {
    timeoutMs: 150_000,
  });
  return { exitCode, stderr, orders: stdout === '' ? [] : JSON.parse(stdout).orders };
};

const rowOf = async (agent: string): Promise<AgentView | undefined> =>
  (await see(jarvis)).agents.find((row) => row.agent === agent);

const untilRow = (agent: string, is: (row: AgentView | undefined) => unknown) =>
  until(async () => {
    const row = await rowOf(agent);
    if (!is(row)) throw new Error(`${agent} is ${JSON.stringify(row)?.slice(0, 900)}`);
    return true;
  }, SOON);

/** Every tmux server and pane of both machines but one agent's own pane. */
const othersThan = async (agent: string): Promise<string[]> => {
  const own = (await rowOf(agent))?.tmux?.pid;
  const all = [...pair.jarvis.workload(), ...pair.dragon.workload()];
  return all.filter(({ pid }) => pid !== own).map(({ pid, startTicks, comm }) => `${comm} ${pid} ${startTicks}`);
};

/** They are the very processes that they were; the agent's own row may come a moment later. */
const othersStand = (agent: string, others: readonly string[]) =>
  until(async () => {
    expect(await othersThan(agent)).toEqual(others);
    return true;
  }, SOON);

const sessionsOf = (): Promise<string> =>
  pair.jarvis.mustSsh('jarvis', "tmux -L mosaic-factory list-sessions -F '#{session_name} #{session_id}'");

describe('an agent of this machine, on the fleet’s shared tmux server', () => {
  test('stop ends its session and no other; start brings it back; each again changes nothing', async () => {
    const others = await othersThan('dogfood-coder');
    const stopped = await fleet('stop', 'dogfood-coder', '--id', 'stop-1');
    expect(stopped).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done', reason: null, id: 'stop-1' }] });
    expect(await sessionsOf()).not.toContain('dogfood-coder');
    await othersStand('dogfood-coder', others);
    expect((await fleet('stop', 'dogfood-coder', '--id', 'stop-1')).orders).toMatchObject([
      { outcome: 'done', repeated: true },
    ]);
    expect((await fleet('stop', 'dogfood-coder')).orders).toMatchObject([{ reason: 'it was stopped already' }]);

    const started = await fleet('start', 'dogfood-coder');
    expect(started).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }] });
    await untilRow('dogfood-coder', (row) => row?.readiness === 'working' && row.unit?.active_state === 'active');
    const { tmux } = (await rowOf('dogfood-coder')) as AgentView;
    expect((await fleet('start', 'dogfood-coder')).orders).toMatchObject([{ reason: 'it ran already' }]);
    expect((await rowOf('dogfood-coder'))?.tmux?.pid).toBe(tmux?.pid);
    await othersStand('dogfood-coder', others);
  });

  test('a unit that says active while its session is gone is started all the same', async () => {
    await pair.jarvis.mustSsh('jarvis', 'tmux -L mosaic-factory kill-session -t =dogfood-coder');
    await untilRow('dogfood-coder', (row) => row?.readiness === 'dead');
    expect(await fleet('start', 'dogfood-coder')).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }] });
  });

  test('two restarts at once come one after the other, and both end with it running', async () => {
    const others = await othersThan('dogfood-coder');
    const before = (await rowOf('dogfood-coder'))?.tmux?.pid;
    const both = await Promise.all([fleet('restart', 'dogfood-coder'), fleet('restart', 'W-jarvis/dogfood-coder')]);
    expect(both.map(({ orders }) => orders[0]?.outcome)).toEqual(['done', 'done']);
    await untilRow('dogfood-coder', (row) => row?.tmux?.pid != null && row.tmux.pid !== before);
    expect((await sessionsOf()).match(/dogfood-coder/g)).toHaveLength(1);
    await othersStand('dogfood-coder', others);
  });

  test('a session in no roster and the holder are refused', async () => {
    const refused = await fleet('stop', 'notes');
    expect(refused).toMatchObject({ exitCode: 8, orders: [{ outcome: 'refused' }] });
    expect(refused.orders[0]?.reason).toMatch(/in no roster/);
    expect((await fleet('restart', '_holder')).exitCode).toBe(4);
  });

  test('a rolling restart of a role names how many, and needs --yes where nobody can be asked', async () => {
    const asked = await fleet('restart', '--host', 'W-jarvis');
    expect(asked).toMatchObject({ exitCode: 2, orders: [] });
    expect(asked.stderr).toMatch(/restart 4 agents on 1 host: .*--yes/);
    const rolled = await fleet('restart', '--role', 'coder', '--role', 'reviewer', '--yes');
    expect(rolled).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }, { outcome: 'done' }] });
  });

  test('a program that ends at once, and a unit that fails, are told as such in its own words', async () => {
    const stub = '~/.config/mosaic/fleet/dogfood-agent.py';
    await pair.jarvis.mustSsh('jarvis', `mv ${stub} ${stub}.away`);
    const gone = await fleet('restart', 'dogfood-reviewer');
    await pair.jarvis.mustSsh('jarvis', `mv ${stub}.away ${stub}`);
    expect(gone).toMatchObject({ exitCode: 1, orders: [{ outcome: 'failed' }] });
    expect(gone.orders[0]?.reason).toMatch(/^it was stopped, but then: .*session.*; mosaic-agent@dogfood-reviewer/);

    const unit = await pair.jarvis.mustSsh('jarvis', `cat ${AGENT_UNIT}`);
    await pair.jarvis.writeFile(AGENT_UNIT, unit.replace(/^ExecStart=.*$/m, "ExecStart=/bin/sh -c 'exit 3'"), {
      owner: 'jarvis',
    });
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user daemon-reload');
    const failed = await fleet('start', 'dogfood-reviewer');
    await pair.jarvis.writeFile(AGENT_UNIT, unit, { owner: 'jarvis' });
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user daemon-reload');
    expect(failed).toMatchObject({ exitCode: 1, orders: [{ outcome: 'failed' }] });
    expect(failed.orders[0]?.reason).toMatch(/its start ended as failed: .*exit-code, status 3/);
    expect(await fleet('start', 'dogfood-reviewer')).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }] });
  });

  test('a host-agent that is killed in between: its successor tells what became of the order', async () => {
    const slow = `${AGENT_UNIT}.d/slow.conf`;
    await pair.jarvis.writeFile(slow, '[Service]\nExecStop=-/bin/sleep 6\n', { owner: 'jarvis' });
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user daemon-reload');
    const others = await othersThan('dogfood-coder');
    const running = fleet('stop', 'dogfood-coder', '--id', 'stop-killed');
    await until(
      async () =>
        (
          await pair.jarvis.mustSsh('jarvis', 'systemctl --user show -P ActiveState mosaic-agent@dogfood-coder')
        ).trim() === 'deactivating',
      SOON,
    );
    await pair.jarvis.asRoot(`kill -9 ${await daemonPid(jarvis, 'host-agent')}`);
    const told = await running;
    await pair.jarvis.mustSsh('jarvis', `rm ${slow} && systemctl --user daemon-reload`);
    expect(told.orders).toMatchObject([
      { id: 'stop-killed', outcome: 'done', reason: 'the host-agent ended meanwhile' },
    ]);
    expect(await sessionsOf()).not.toContain('dogfood-coder');
    await othersStand('dogfood-coder', others);
    expect(await fleet('start', 'dogfood-coder')).toMatchObject({ exitCode: 0 });
  });

  test('a host whose policy only allows to send refuses, whoever asks', async () => {
    const policy = '/home/jarvis/.config/fleet/host-policy.json';
    const before = await pair.jarvis.mustSsh('jarvis', `cat ${policy} 2>/dev/null || echo '{}'`);
    await pair.jarvis.writeFile(policy, JSON.stringify({ control: 'send' }), { owner: 'jarvis', mode: '600' });
    const refused = await fleet('stop', 'dogfood-coder');
    await pair.jarvis.writeFile(policy, before, { owner: 'jarvis', mode: '600' });
    expect(refused).toMatchObject({ exitCode: 8, orders: [{ outcome: 'refused' }] });
    expect(refused.orders[0]?.reason).toMatch(/policy lets callers only send/);
    expect(await sessionsOf()).toContain('dogfood-coder');
  });
});

describe('the holder of this machine', () => {
  test('is restarted only with --force, and says who ends with it; units that require it bring theirs back', async () => {
    const asked = await fleet('restart', '--holder', 'W-jarvis');
    expect(asked).toMatchObject({ exitCode: 8, orders: [{ outcome: 'refused' }] });
    expect(asked.orders[0]?.reason).toMatch(
      /^4 other sessions \(canary-pi, dogfood-coder, dogfood-orchestrator, dogfood-reviewer\) and 4 other units .*--force/,
    );
    const before = await sessionsOf();
    const forced = await fleet('restart', '--holder', 'W-jarvis', '--force');
    expect(forced).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }] });
    expect(forced.orders[0]?.reason).toMatch(/^ended along: 4 other sessions \([^()]*\)$/);
    expect((await sessionsOf()).split('\n').length).toBe(before.split('\n').length);
    for (const agent of MOSAIC_AGENTS) await untilRow(agent, (row) => row?.readiness === 'working');
  });
});

describe('a session of the other machine that no roster names', () => {
  test('is begun anew and ended where that is said, and nobody else is touched', async () => {
    const others = await othersThan('coder0-0');
    const before = (await rowOf('coder0-0'))?.tmux;
    const refused = await fleet('restart', 'dragon-lin/coder0-0');
    expect(refused).toMatchObject({ exitCode: 8, orders: [{ outcome: 'refused' }] });
    expect(await fleet('restart', 'dragon-lin/coder0-0', '--adopt')).toMatchObject({
      exitCode: 0,
      orders: [{ outcome: 'done' }],
    });
    await untilRow('coder0-0', (row) => row?.runtime_seen === 'node' && row.tmux?.pid !== before?.pid);
    expect((await rowOf('coder0-0'))?.tmux?.session_id).toBe(before?.session_id);
    await othersStand('coder0-0', others);
    expect(await fleet('stop', 'dragon-lin/coder0-0', '--adopt')).toMatchObject({
      exitCode: 0,
      orders: [{ outcome: 'done' }],
    });
    await untilRow('coder0-0', (row) => row === undefined);
  });
});

describe('an agent of the other machine, in a tmux server of its own unit', () => {
  test('is started, restarted and stopped from here; stop needs its host spelled out', async () => {
    const others = await othersThan('scout');
    expect(await fleet('start', 'scout')).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }] });
    await untilRow('scout', (row) => row?.tmux?.pid != null);
    const first = (await rowOf('scout'))?.tmux?.pid;
    expect(await fleet('restart', 'scout')).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }] });
    await untilRow('scout', (row) => row?.tmux?.pid != null && row.tmux.pid !== first);
    const bare = await fleet('stop', 'scout');
    expect(bare).toMatchObject({ exitCode: 8, orders: [] });
    expect(bare.stderr).toMatch(/dragon-lin\/jwoltje\/scout/);
    expect(await fleet('stop', 'dragon-lin/scout')).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }] });
    await untilRow('scout', (row) => row?.tmux === null);
    await othersStand('scout', others);
  });

  test('callers of a host act elsewhere only where they were allowed to', async () => {
    const asDragon = async () => {
      const { exitCode, stdout } = await pair.dragon.fleet('jwoltje', ['restart', 'dogfood-reviewer', '-o', 'json']);
      return { exitCode, order: JSON.parse(stdout).orders[0] };
    };
    const refused = await asDragon();
    expect(refused).toMatchObject({ exitCode: 6, order: { outcome: 'refused' } });
    expect(refused.order.reason).toContain('fleet host allow dragon-lin lifecycle');
    await pair.jarvis.mustSsh('jarvis', '~/.local/bin/fleet host allow dragon-lin lifecycle');
    expect(await asDragon()).toMatchObject({ exitCode: 0, order: { outcome: 'done' } });
  });

  test('one that runs to its end at once: nobody kept its status here, so it is no success; reset starts it', async () => {
    const conf = SCOUT_CONF.replace(/"exec .*"/, '"exec true"');
    const roster = SCOUT_ROSTER.replace('class: scout', 'class: scout\n    reset_between_tasks: true');
    await pair.dragon.writeFile('/home/jwoltje/agents/scout.conf', conf, { owner: 'jwoltje' });
    await pair.dragon.writeFile('/home/jwoltje/.config/mosaic/fleet/roster.yaml', roster, { owner: 'jwoltje' });
    await untilRow('scout', (row) => row?.lifecycle === 'ephemeral');
    expect(await fleet('start', 'scout')).toMatchObject({
      exitCode: 1,
      orders: [{ outcome: 'unverifiable', reason: 'it ran to its end; with which status, nobody kept' }],
    });
    await pair.dragon.writeFile('/home/jwoltje/agents/scout.conf', SCOUT_CONF, { owner: 'jwoltje' });
    expect(await fleet('reset', 'dragon-lin/scout')).toMatchObject({
      exitCode: 0,
      orders: [{ outcome: 'done', reason: 'it did not run: started' }],
    });
    expect(await fleet('stop', 'dragon-lin/scout')).toMatchObject({ exitCode: 0 });
  });

  test('a server that was born in an agent’s unit: its neighbours are named, and only --force ends them', async () => {
    await fleet('start', 'scout');
    await pair.dragon.mustSsh('jwoltje', "tmux -L scout new-session -d -s neighbour 'sleep 1000'");
    await untilRow('neighbour', (row) => row !== undefined);
    const refused = await fleet('stop', 'dragon-lin/scout');
    expect(refused).toMatchObject({ exitCode: 8, orders: [{ outcome: 'refused' }] });
    expect(refused.orders[0]?.reason).toMatch(/1 other session \(neighbour\) would end with it: --force/);
    await untilRow('scout', (row) => row?.tmux?.session === 'scout');
    const forced = await fleet('stop', 'dragon-lin/scout', '--force');
    expect(forced).toMatchObject({ exitCode: 0, orders: [{ outcome: 'done' }] });
    expect(forced.orders[0]?.reason).toBe('ended along: 1 other session (neighbour)');
  });
});
