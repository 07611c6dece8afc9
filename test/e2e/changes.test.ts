/** What happens on one machine is seen from the other, in the right words; hostile and broken input harms nobody. */
import { describe, expect, test } from 'vitest';
import type { AgentView } from '../../src/domain/agent-view.ts';
import { faultGround } from '../helpers/fault-ground.ts';
import { agentsOf, hostAgentOf, type Seat, see } from '../helpers/fleet-seen.ts';
import { until } from '../helpers/until.ts';

const ground = faultGround();
const FACTORY = 'tmux -L mosaic-factory';
const SOON = { timeoutMs: 40_000 };
/** After five minutes without output it is available. */
const LIVES = ['working', 'available'];

const rowOn = async (seat: Seat, host: string, agent: string): Promise<AgentView | undefined> =>
  agentsOf(await see(seat), host).find((row) => row.agent === agent);

const untilRow = (
  seat: Seat,
  host: string,
  agent: string,
  is: (row: AgentView | undefined) => unknown,
  deadline = SOON,
) =>
  until(async () => {
    const row = await rowOn(seat, host, agent);
    if (!is(row)) throw new Error(`${agent} is ${JSON.stringify(row)?.slice(0, 900)}`);
    return true;
  }, deadline);

const warningsOf = async (seat: Seat, host: string): Promise<string[]> => hostAgentOf(await see(seat), host).warnings;

test('the host-agent holds no tmux server in its unit', async () => {
  const servers = await ground.pair.jarvis.asRoot("ps -eo cgroup:200,comm | grep 'tmux: server'");
  expect(servers).toMatch(/tmux: server/);
  expect(servers).not.toMatch(/fleet-host-agent/);
});

describe('what happens on one machine is seen from the other', () => {
  test('sessions that come, are renamed and go', async () => {
    const { pair, jarvis } = ground;
    await pair.dragon.mustSsh('jwoltje', "tmux new-session -d -s fresh 'sleep 1000'");
    await untilRow(jarvis, 'dragon-lin', 'fresh', (row) => row?.flags.join() === 'UNMANAGED');
    await pair.dragon.mustSsh('jwoltje', 'tmux rename-session -t =fresh renamed');
    await untilRow(jarvis, 'dragon-lin', 'renamed', (row) => row !== undefined);
    await untilRow(jarvis, 'dragon-lin', 'fresh', (row) => row === undefined);
    await pair.dragon.mustSsh('jwoltje', 'tmux kill-session -t =renamed');
    await untilRow(jarvis, 'dragon-lin', 'renamed', (row) => row === undefined);
  });

  test('a pane split off beside an agent leaves the agent in its own', async () => {
    const { pair, dragon } = ground;
    const before = (await rowOn(dragon, 'W-jarvis', 'dogfood-coder'))?.tmux?.pane_id;
    const split = await pair.jarvis.mustSsh(
      'jarvis',
      `${FACTORY} split-window -d -P -F '#{pane_id}' -t =dogfood-coder: 'sleep 900'`,
    );
    await until(async () => (await pair.jarvis.listPanes()).includes(split.trim()), SOON);
    await untilRow(
      dragon,
      'W-jarvis',
      'dogfood-coder',
      (row) => row?.tmux?.pane_id === before && row?.runtime_seen === 'stub',
    );
    await pair.jarvis.mustSsh('jarvis', `${FACTORY} kill-pane -t ${split.trim()}`);
  });

  test('a unit that is enabled', async () => {
    const { pair, dragon } = ground;
    const unit = 'mosaic-agent@dogfood-coder.service';
    await pair.jarvis.mustSsh('jarvis', `systemctl --user enable ${unit}`);
    await untilRow(
      dragon,
      'W-jarvis',
      'dogfood-coder',
      (row) => row?.flags.length === 0 && row.unit?.unit_file_state === 'enabled',
    );
    await pair.jarvis.mustSsh('jarvis', `systemctl --user disable ${unit}`);
    await untilRow(dragon, 'W-jarvis', 'dogfood-coder', (row) => row?.flags.join() === 'BOOT-ENABLE');
  });

  test('an agent whose program is killed: its session is gone, and that is said', async () => {
    const { pair, dragon } = ground;
    const isGone = (row: AgentView | undefined) =>
      row?.readiness === 'dead' && row.reason === 'no session' && row.flags.includes('MISSING');
    await pair.jarvis.mustSsh('jarvis', `kill -9 $(${FACTORY} list-panes -t =dogfood-reviewer: -F '#{pane_pid}')`);
    await untilRow(dragon, 'W-jarvis', 'dogfood-reviewer', isGone);
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user restart mosaic-agent@dogfood-reviewer.service');
    await untilRow(
      dragon,
      'W-jarvis',
      'dogfood-reviewer',
      (row) => row?.readiness === 'working' && row.flags.join() === 'BOOT-ENABLE',
    );
  });

  test('a pane that stays after its program: how it ended', async () => {
    const { pair, jarvis } = ground;
    const start = "tmux new-session -d -s brief 'sleep 1000' \\; set-option -w -t brief remain-on-exit on";
    await pair.dragon.mustSsh('jwoltje', start);
    await untilRow(jarvis, 'dragon-lin', 'brief', (row) => row !== undefined);
    await pair.dragon.mustSsh('jwoltje', "kill -9 $(tmux list-panes -t =brief: -F '#{pane_pid}')");
    await untilRow(
      jarvis,
      'dragon-lin',
      'brief',
      (row) => row?.reason === 'killed by SIGKILL' && row.attention?.need === 'failed',
    );
    await pair.dragon.mustSsh('jwoltje', 'tmux kill-session -t =brief');
  });

  test('a user bus that is gone: unit fields are empty with a reason, the rows stay', async () => {
    const { pair, dragon } = ground;
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user stop dbus.socket dbus.service || true');
    await untilRow(
      dragon,
      'W-jarvis',
      'canary-pi',
      (row) => row !== undefined && row.unit === null && LIVES.includes(row.readiness),
    );
    await until(async () => /user manager|bus/.test((await warningsOf(dragon, 'W-jarvis')).join()), SOON);
    // Past the bus, which systemctl would otherwise ask.
    await pair.jarvis.mustSsh('jarvis', 'DBUS_SESSION_BUS_ADDRESS= systemctl --user start dbus.socket');
    await untilRow(dragon, 'W-jarvis', 'canary-pi', (row) => row?.unit?.active_state === 'active');
  });

  test('a tmux server that is killed takes its rows, and no others, with it', async () => {
    const { pair, jarvis } = ground;
    await pair.dragon.mustSsh('jwoltje', "tmux -L side new-session -d -s side-agent 'sleep 1000'");
    await untilRow(jarvis, 'dragon-lin', 'side-agent', (row) => row !== undefined);
    await pair.dragon.mustSsh('jwoltje', "kill -9 $(tmux -L side display-message -p -t =side-agent: '#{pid}')");
    await untilRow(jarvis, 'dragon-lin', 'side-agent', (row) => row === undefined);
    expect(await rowOn(jarvis, 'dragon-lin', 'coder0-0')).toBeDefined();
  });
});

describe('hostile and broken input', () => {
  test('no name or title of a session is ever printed as a terminal would obey it', async () => {
    const { pair, jarvis } = ground;
    const [name, kept] = ['we ird/na.me "q" \u{1f600}', 'we ird/na_me "q" \u{1f600}'];
    const title = "printf '\\033]2;x\\033[31mred\\ny\\007'; exec sleep 1000";
    await pair.dragon.mustSsh('jwoltje', `tmux -u new-session -d -s '${name}' "${title}"`);
    await untilRow(jarvis, 'dragon-lin', 'we%20ird%2Fna_me%20"q"%20\u{1f600}', (row) => row !== undefined);
    for (const form of ['table', 'wide', 'json', 'ndjson', 'name']) {
      const { stdout, stderr } = await pair.jarvis.fleet('jarvis', ['ps', '-o', form]);
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
    await pair.dragon.mustSsh('jwoltje', `tmux kill-session -t '${kept}'`);
  });

  test('a roster that cannot be read is named by line and column, and its agents stay', async () => {
    const { pair, dragon } = ground;
    const path = '/home/jarvis/.config/mosaic/fleet/roster.yaml';
    await pair.jarvis.mustSsh('jarvis', `cp ${path} /tmp/roster.good && printf 'agnets: []\\n' >> ${path}`);
    const told = async () => (await warningsOf(dragon, 'W-jarvis')).join();
    await until(async () => /roster.*:\d+:\d+.*agents/.test(await told()), SOON);
    expect((await rowOn(dragon, 'W-jarvis', 'canary-pi'))?.managed).toBe(true);
    await pair.jarvis.mustSsh('jarvis', `cp /tmp/roster.good ${path}`);
    await until(async () => !(await told()).includes('roster'), SOON);
  });

  test('a heartbeat that is garbage is called invalid, and the agent is judged by what else is known', async () => {
    const { pair, dragon } = ground;
    const garbage =
      "echo $$; while :; do printf 'ts=soon\\0\\377' > ~/.config/mosaic/fleet/run/canary-pi.hb; sleep 0.2; done";
    const running = await pair.jarvis.start('jarvis', garbage);
    const pid = new Promise<number>((resolve) => running.onLine((line) => resolve(Number(line))));
    await untilRow(
      dragon,
      'W-jarvis',
      'canary-pi',
      (row) => row?.heartbeat.state === 'invalid' && LIVES.includes(row.readiness),
    );
    // A connection that ends would leave it there.
    await pair.jarvis.kill(await pid, 'SIGKILL');
    await until(() => running.hasEnded, SOON);
    // The stub writes its next beat within 15 s.
    const isHealthy = (row: AgentView | undefined) => row?.heartbeat.state === 'healthy';
    await untilRow(dragon, 'W-jarvis', 'canary-pi', isHealthy, { timeoutMs: 60_000 });
  });
});
