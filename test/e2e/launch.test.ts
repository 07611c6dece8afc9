/** Agents of a roster launched by their own units on a real machine: what they become, and what is left when they end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentUnitText } from '../../host-agent/launch/agent-unit.ts';
import type { AgentView } from '../../src/domain/agent-view.ts';
import type { RosterAgent } from '../../src/domain/roster.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { fleetUp } from '../helpers/fleet-pair.ts';
import { see } from '../helpers/fleet-seen.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import type { Host } from '../helpers/testbed/host.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { until } from '../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
/** One that dies at once is given up within StartLimitIntervalSec, or never. */
const GIVEN_UP = { timeoutMs: 540_000 };
const HOME = '/home/ana';
const MOSAIC = `${HOME}/.config/mosaic/fleet`;
const STUB = join(import.meta.dirname, '../fixtures/mosaic/w-jarvis/.config/mosaic/fleet/dogfood-agent.py');

let bed: Testbed;
let host: Host;
keepEvidence(() => bed);

const ROSTER = `version: 2
defaults: { lifecycle: core, env: { MOSAIC_HEARTBEAT_INTERVAL: 2 } }
agents:
  - { name: steady, runtime: stub, class: coder, model_hint: none/such, env: { GREETING: "it's $HOME" } }
  - { name: off-path, runtime: pi }
  - { name: worker, command: echo did it, lifecycle: ephemeral }
  - { name: failing, command: echo oops; exit 3, lifecycle: ephemeral }
  - { name: crasher, command: exit 9 }
  - { name: no-binary, runtime: codex }
  - { name: no-folder, runtime: stub, working_directory: /nowhere/at/all }
`;

const agents = (): RosterAgent[] => parseRoster(ROSTER, 'roster.yaml').roster!.agents;
const unit = (name: string): string => `mosaic-agent@${name}.service`;
const mustSsh = (command: string): Promise<string> => host.mustSsh('ana', command, SOON);

beforeAll(async () => {
  bed = await Testbed.start();
  host = await bed.boot('alone', { users: [{ name: 'ana', uid: 1000, linger: true }] });
  await fleetUp(host, 'ana');
  const owner = { owner: 'ana' };
  await host.writeFile(`${MOSAIC}/dogfood-agent.py`, readFileSync(STUB), owner);
  await host.writeFile(`${MOSAIC}/roster.yaml`, ROSTER, owner);
  // A runtime where only ~/.bashrc would look: what three outages came from.
  await mustSsh('mkdir -p ~/.npm-global/bin && cp "$(readlink -f /usr/bin/python3)" ~/.npm-global/bin/pi');
  const ground = {
    home: HOME,
    state: `${HOME}/.local/state/fleet`,
    share: `${HOME}/.local/share/fleet`,
    mosaicHome: `${HOME}/.config/mosaic`,
    tmuxTmpdir: '/tmp',
  };
  for (const agent of agents())
    await host.writeFile(`${HOME}/.config/systemd/user/${unit(agent.name)}`, agentUnitText(agent, ground), owner);
  await mustSsh('systemctl --user daemon-reload');
  const units = agents().map(({ name }) => unit(name));
  await mustSsh(`systemctl --user enable ${unit('steady')} ${unit('off-path')} 2>&1`);
  await mustSsh(`systemctl --user start --no-block ${units.join(' ')}`);
});
afterAll(() => bed?.stop());

const untilRow = (agent: string, is: (row: AgentView) => unknown, within = SOON): Promise<AgentView> =>
  until(async () => {
    const row = (await see({ host, user: 'ana' })).agents.find((each) => each.agent === agent);
    if (!row || !is(row)) throw new Error(`${agent} is ${JSON.stringify(row)?.slice(0, 1_500)}`);
    return row;
  }, within);

const runs = (row: AgentView): boolean => row.tmux?.dead === false && row.runtime_seen === row.runtime;

/** Of every agent but this one: the pid of its pane. */
const othersThan = async (agent: string): Promise<(number | null)[]> => {
  const { agents: rows } = await see({ host, user: 'ana' });
  return rows.filter((row) => row.agent !== agent && row.tmux?.dead === false).map(({ tmux }) => tmux?.pid ?? null);
};

test('a core agent runs in a tmux server of its unit’s own, knows who it is, and beats', async () => {
  const row = await untilRow('steady', (each) => runs(each) && each.heartbeat.state === 'healthy');
  expect(row).toMatchObject({
    readiness: 'working',
    runtime_seen: 'stub',
    tmux: { socket: '/tmp/tmux-1000/fleet-steady', session: 'steady', width: 120, height: 40 },
    unit: { active_state: 'active', sub_state: 'running', unit_file_state: 'enabled' },
    flags: [],
  });
  const environment = (await mustSsh(`tr '\\0' '\\n' < /proc/${row.tmux!.pid}/environ`)).split('\n');
  for (const line of [
    'MOSAIC_AGENT_NAME=steady',
    'MOSAIC_AGENT_CLASS=coder',
    'MOSAIC_AGENT_MODEL=none/such',
    "GREETING=it's $HOME",
  ])
    expect(environment).toContain(line);
  expect(environment.find((line) => line.startsWith('INVOCATION_ID='))).toBeUndefined();
  const server = row.unit!.main_pid;
  expect(await mustSsh(`ps -o ppid= -p ${row.tmux!.pid}`)).toMatch(new RegExp(`^\\s*${server}\\s*$`));
});

test('a runtime that only an interactive shell would find is found, and recognised at once', async () => {
  const row = await untilRow('off-path', (each) => runs(each) && each.heartbeat.state === 'healthy');
  expect(row).toMatchObject({ runtime_seen: 'pi', flags: [], heartbeat: { source: 'sidecar', pid: row.tmux!.pid } });
});

test('a worker that ran to its end needs nobody; one that failed does, and its last lines are kept', async () => {
  const done = await untilRow('worker', (row) => row.reason === 'ran to its end, exited 0');
  expect(done).toMatchObject({ attention: null, last_exit: { status: 0 } });
  // Its unit and its record are heard of one after the other.
  const isTold = (row: AgentView) => row.unit?.active_state === 'failed' && row.reason === 'exited 3';
  expect(await untilRow('failing', isTold)).toMatchObject({ attention: { need: 'failed' }, last_exit: { status: 3 } });
  expect(await mustSsh('cat ~/.local/state/fleet/runs/failing/*.txt')).toBe('oops\n');
});

test.each([
  ['crasher', /^unit failed: [a-z-]+: exited 9$/],
  ['no-binary', /^unit failed: [a-z-]+: codex is not found on its PATH: name its folder in MOSAIC_RUNTIME_BIN$/],
  ['no-folder', /^unit failed: [a-z-]+: its working directory \/nowhere\/at\/all does not exist$/],
])(
  '%s is given up after a few starts, and its row says why',
  async (agent, reason) => {
    await untilRow(agent, (each) => each.unit?.active_state === 'failed', GIVEN_UP);
    const row = await untilRow(agent, (each) => reason.test(each.reason ?? ''));
    expect(row).toMatchObject({ readiness: 'dead', attention: { need: 'failed' } });
  },
  600_000,
);

test('kill -9 of its tmux server ends the agent with it, no other, and it comes back', async () => {
  const before = await untilRow('steady', runs);
  const others = await othersThan('steady');
  await host.kill(before.unit!.main_pid!, 'SIGKILL');
  const isBack = (row: AgentView) => runs(row) && row.tmux!.pid !== before.tmux!.pid;
  await untilRow('steady', (row) => isBack(row) && row.unit?.active_state === 'active' && row.unit.restarts === 1);
  expect(await mustSsh(`test -e /proc/${before.tmux!.pid} || echo gone`)).toBe('gone\n');
  expect(await othersThan('steady')).toEqual(others);
});

test('kill -9 of the agent is recorded, and it comes back', async () => {
  const before = await untilRow('steady', runs);
  await host.kill(before.tmux!.pid!, 'SIGKILL');
  const isTold = ({ last_exit }: AgentView) => last_exit?.status === null && last_exit.signal === 'SIGKILL';
  await untilRow('steady', (row) => runs(row) && row.tmux!.pid !== before.tmux!.pid && isTold(row));
});

test('a stop is no failure, and leaves nothing running', async () => {
  const before = await untilRow('off-path', runs);
  await mustSsh(`systemctl --user stop ${unit('off-path')}`);
  const isStopped = (row: AgentView) => row.tmux === null && row.reason === 'stopped';
  expect(await untilRow('off-path', isStopped)).toMatchObject({
    attention: null,
    unit: { active_state: 'inactive', result: 'success' },
  });
  expect(await mustSsh(`test -e /proc/${before.tmux!.pid} || echo gone`)).toBe('gone\n');
  await mustSsh(`test ! -e ~/.config/mosaic/fleet/run/off-path.hb`);
  await mustSsh(`systemctl --user start ${unit('off-path')}`);
  await untilRow('off-path', runs);
});

test('after the power cord, what is enabled is back as the roster says now, and its last run is told', async () => {
  await mustSsh(`sed -i 's/class: coder/class: reviewer/' ${MOSAIC}/roster.yaml && sync`);
  await host.pullCord();
  await host.bootAgain();
  const row = await untilRow('steady', (each) => runs(each) && each.heartbeat.state === 'healthy');
  const environment = (await mustSsh(`tr '\\0' '\\n' < /proc/${row.tmux!.pid}/environ`)).split('\n');
  expect(environment).toContain('MOSAIC_AGENT_CLASS=reviewer');
  await untilRow('off-path', runs);
  const sessions = await mustSsh('for s in /tmp/tmux-1000/fleet-*; do tmux -S $s list-sessions -F "#S"; done');
  expect(sessions.trim().split('\n').sort()).toEqual(['off-path', 'steady']);
  const newest = await mustSsh('cat "$(ls -t ~/.local/state/fleet/runs/steady/*.json | head -n 1)"');
  expect(JSON.parse(newest)).toMatchObject({ agent: 'steady', cause: 'killed', status: null, lines: false });
});
