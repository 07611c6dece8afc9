/** `fleet ps` and `fleet hosts` as the tenants of the first users' two machines read them. */
import { describe, expect, test } from 'vitest';
import type { AgentView } from '../../src/domain/agent-view.ts';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, type FleetDocument, hostAgentOf, type Seat, see } from '../helpers/fleet-seen.ts';
import { MOSAIC_AGENTS } from '../helpers/mosaic.ts';
import { until } from '../helpers/until.ts';

const ground = fleetGround();

const agent = (seen: FleetDocument, name: string): AgentView => {
  const found = seen.agents.filter((each) => each.agent === name);
  expect(found.map(({ address }) => address)).toHaveLength(1);
  return found[0] as AgentView;
};

/** Without what grows older by itself, what is of the asking side's own link, and what moves while nothing happens. */
const lasting = ({ agents }: FleetDocument) =>
  agents
    .map((row) => {
      const { idle_seconds, uptime_seconds, state_since_seconds, observed_age_seconds, link, ...rest } = row;
      const { age_seconds, ...heartbeat } = row.heartbeat;
      const { rss_bytes, cpu_percent, ...kept } = rest;
      return { ...kept, heartbeat };
    })
    .sort((a, b) => (a.address < b.address ? -1 : 1));

/** Ages in a table as `AGE`, and the column widths that follow from them forgotten. */
const withoutAges = (table: string): string[] =>
  table
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .trimEnd()
        .replace(/\b\d+[smhd](?:\d\d?[smh])?(?= |$)/g, 'AGE')
        .replace(/(\S) {2,}/g, '$1  '),
    );

const ps = async ({ host, user }: Seat, ...words: string[]) => {
  const { exitCode, stdout, stderr } = await host.fleet(user, words);
  expect([exitCode, stderr.includes('\x1b'), stdout.includes('\x1b')]).toEqual([0, false, false]);
  return { stdout, stderr };
};

describe('fleet ps -o json', () => {
  test('tells of canary-pi that another runtime runs than its roster says, and that its unit is gone after a boot', async () => {
    for (const seat of [ground.jarvis, ground.dragon]) {
      expect(agent(await see(seat), 'canary-pi')).toMatchObject({
        address: 'home/W-jarvis/jarvis/canary-pi',
        managed: true,
        source: 'roster',
        role: 'canary',
        runtime: 'pi',
        runtime_seen: 'stub',
        model: 'openai-codex/gpt-5.5:high',
        lifecycle: 'ephemeral',
        flags: ['DRIFT', 'BOOT-ENABLE'],
        unit: {
          name: 'mosaic-agent@canary-pi.service',
          active_state: 'active',
          sub_state: 'exited',
          unit_file_state: 'disabled',
          result: 'success',
        },
        tmux: { session: 'canary-pi', command: 'python3', dead: false, attached: 0, width: 120, height: 40 },
        readiness: 'working',
        current: true,
      });
    }
  });

  test('tells the others as healthy, their units as not enabled, and nothing else against them', async () => {
    const seen = await see(ground.dragon);
    for (const name of MOSAIC_AGENTS) {
      const { heartbeat, tmux, flags } = agent(seen, name);
      expect(heartbeat).toMatchObject({ state: 'healthy', status: 'ok', pid: tmux?.pid, source: 'sidecar' });
      expect(flags).toEqual(name === 'canary-pi' ? ['DRIFT', 'BOOT-ENABLE'] : ['BOOT-ENABLE']);
    }
    expect(agent(seen, 'dogfood-orchestrator')).toMatchObject({ lifecycle: 'core', runtime: 'stub' });
  });

  test('tells of coder0-0 on the default socket, in no roster, its group and what it really runs', async () => {
    for (const seat of [ground.jarvis, ground.dragon]) {
      expect(agent(await see(seat), 'coder0-0')).toMatchObject({
        address: 'home/dragon-lin/jwoltje/coder0-0',
        managed: false,
        source: 'socket',
        runtime: null,
        runtime_seen: 'node',
        unit: null,
        flags: ['UNMANAGED'],
        tmux: { socket: '/tmp/tmux-1000/default', group: 'coder0', group_members: ['coder0-0'], command: 'node' },
        readiness: 'working',
      });
    }
  });

  test('has no row for the session that only holds the tmux server', async () => {
    const { agents } = await see(ground.jarvis);
    expect(await ground.pair.jarvis.mustSsh('jarvis', 'tmux -L mosaic-factory has-session -t =_holder')).toBe('');
    expect(agents.map(({ tmux }) => tmux?.session)).not.toContain('_holder');
  });

  test('is whole, and the same on either machine but for ages and links', async () => {
    // Both are asked at about the same time: what changes in between is shown by one of them.
    const [onJarvis, onDragon] = await until(
      async () => {
        const seen = await Promise.all([see(ground.jarvis), see(ground.dragon)]);
        expect(lasting(seen[1])).toEqual(lasting(seen[0]));
        return seen;
      },
      { timeoutMs: 30_000 },
    );
    expect([onJarvis.cell, onJarvis.complete, onDragon.cell, onDragon.complete]).toEqual(['home', true, 'home', true]);
    expect(onJarvis.agents.map(({ link, current }) => [link.state, current])).toEqual(
      onJarvis.agents.map(() => ['connected', true]),
    );
    expect([agentsOf(onJarvis, 'W-jarvis').length, agentsOf(onJarvis, 'dragon-lin').length]).toEqual([5, 1]);
  });
});

describe('fleet ps', () => {
  const HEAD = '    AGENT  RUNS  STATE  FOR  HB  IDLE  FLAGS';
  const JARVIS = [
    '    canary-pi  stub (not pi)  working  AGE  AGE  AGE  DRIFT BOOT-ENABLE',
    '    dogfood-orchestrator  stub  working  AGE  AGE  AGE  BOOT-ENABLE',
    '    dogfood-coder  stub  working  AGE  AGE  AGE  BOOT-ENABLE',
    '    dogfood-reviewer  stub  working  AGE  AGE  AGE  BOOT-ENABLE',
    '    notes  bash  working  AGE  -  AGE  UNMANAGED',
  ];
  const DRAGON = ['    coder0-0  node  working  AGE  -  AGE  UNMANAGED'];

  test('is one table of both machines on W-jarvis, in the order of its roster', async () => {
    const { stdout, stderr } = await ps(ground.jarvis, 'ps');
    expect(withoutAges(stdout)).toEqual([HEAD, '  W-jarvis  this host', ...JARVIS, '  dragon-lin', ...DRAGON]);
    expect(stderr).toBe('6 agents, 6 current · cell home, as jarvis (operator)\n');
  });

  test('is the same table on dragon-lin, that host first, and the bare command is ps', async () => {
    const { stdout, stderr } = await ps(ground.dragon);
    expect(withoutAges(stdout)).toEqual([HEAD, '  dragon-lin  this host', ...DRAGON, '  W-jarvis', ...JARVIS]);
    expect(stderr).toMatch(/^6 agents, 6 current · cell home, as jwoltje \(\w+\)\n$/);
  });

  test('takes part of it by host, flag and --local', async () => {
    const names = async (...words: string[]) =>
      (await ps(ground.dragon, 'ps', '-o', 'name', ...words)).stdout.trim().split('\n');
    expect(await names('--flag', 'DRIFT')).toEqual(['home/W-jarvis/jarvis/canary-pi']);
    expect(await names('--local')).toEqual(['home/dragon-lin/jwoltje/coder0-0']);
    expect(await names('--host', 'W-jarvis')).toHaveLength(5);
  });
});

describe('fleet hosts', () => {
  test('tells both host-agents as connected, this host marked, and what is to be mended', async () => {
    const { stdout, stderr } = await ps(ground.jarvis, 'hosts');
    const [head, here, there, ...more] = stdout.trimEnd().split('\n');
    expect(head?.trim().split(/ +/)).toEqual(
      'HOST USER LINK HEARD AGENTS NEED VERSION VIA CONTROL CERT SKEW WARN'.split(' '),
    );
    expect(here).toMatch(
      /^ {2}W-jarvis \* +jarvis +connected +\d+s +5 +0 +\S+ +dial +lifecycle +6d +0s +4 BOOT-ENABLE$/,
    );
    expect(there?.trimEnd()).toMatch(
      /^ {2}dragon-lin +jwoltje +connected +\d+s +1 +0 +\S+ +dial +lifecycle +6d +[+-]?\d+s$/,
    );
    expect(more).toEqual([]);
    expect(stderr).toBe('2 host-agents, 2 connected · cell home, as jarvis (operator)\n');
  });

  test('says the same in json on dragon-lin', async () => {
    const { stdout } = await ps(ground.dragon, 'hosts', '-o', 'json');
    const seen = JSON.parse(stdout) as FleetDocument;
    expect(seen.complete).toBe(true);
    expect(hostAgentOf(seen, 'W-jarvis')).toMatchObject({
      user: 'jarvis',
      tenant_id: 'default',
      via: 'dial',
      agents: 5,
    });
    expect(hostAgentOf(seen, 'dragon-lin')).toMatchObject({
      user: 'jwoltje',
      tenant_id: 'default',
      via: 'dial',
      agents: 1,
    });
  });
});

describe('fleet down', () => {
  test('stops the daemons and nothing else; fleet up brings the same fleet back', async () => {
    const { host } = ground.jarvis;
    const sessions = host.workload();
    const down = await host.fleet('jarvis', ['down'], { timeoutMs: 60_000 });
    expect([down.exitCode, down.stderr]).toEqual([0, expect.any(String)]);
    const asked = await host.fleet('jarvis', ['ps']);
    expect([asked.exitCode, asked.stderr]).toEqual([5, expect.stringMatching(/fleet up/)]);
    expect(host.workload()).toEqual(sessions);
    const up = await host.fleet('jarvis', ['up'], { timeoutMs: 60_000 });
    expect([up.exitCode, up.stderr]).toEqual([0, expect.any(String)]);
    await untilWhole(ground.pair);
    expect(host.workload()).toEqual(sessions);
  });
});
