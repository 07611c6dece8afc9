/** One roster for two machines: applied from one of them, also to a machine that is away, and held to by what its host allows. */
import { beforeAll, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { agentsOf, hostAgentOf, linkWords, see } from '../helpers/fleet-seen.ts';
import { until } from '../helpers/until.ts';

const LONG = { timeoutMs: 150_000 };
const SOON = { timeoutMs: 60_000 };
const ground = fleetGround();

/** What a launch begins by default, and a process table knows for pi. */
const LAUNCHER = `#!/bin/sh
exec "$HOME/.local/bin/pi" -c 'import os, time
print("i am", os.environ.get("MOSAIC_AGENT_NAME"), os.environ.get("MOSAIC_AGENT_MODEL"), flush=True)
time.sleep(1e6)'
`;
const roster = (model: string): string => `version: 2
agents:
  - { name: planner, host: jwoltje@dragon-lin, runtime: pi, lifecycle: core, model_hint: ${model} } # theirs
  - { name: helper, host: dragon-lin, runtime: pi, lifecycle: core }
`;

const fleet = (...words: string[]) => ground.jarvis.host.fleet('jarvis', words, LONG);
const apply = async (text: string, ...words: string[]) => {
  await ground.jarvis.host.writeFile('/home/jarvis/fleet.yaml', text, { owner: 'jarvis' });
  return await fleet('apply', '-f', 'fleet.yaml', '--yes', ...words);
};
const there = async () =>
  agentsOf(await see(ground.jarvis), 'dragon-lin')
    .filter(({ managed, tmux }) => managed && tmux !== null)
    .map(({ agent, runtime_seen, flags }) => `${agent} ${runtime_seen} ${flags.join()}`);
const screen = async (agent: string): Promise<string> => (await fleet('tail', `dragon-lin/${agent}`)).stdout;
const ALL = ['planner pi ', 'helper pi '];

beforeAll(async () => {
  const { host, user } = ground.dragon;
  await host.mustSsh(user, 'mkdir -p ~/.local/bin ~/src && cp "$(readlink -f /usr/bin/python3)" ~/.local/bin/pi');
  await host.writeFile(`/home/${user}/.local/bin/mosaic`, LAUNCHER, { owner: user, mode: '755' });
});

test('a host that does not allow it refuses, names the command that does, and is as it was', async () => {
  const refused = await apply(roster('one'));
  expect(refused, refused.stderr).toMatchObject({ exitCode: 8 });
  expect(refused.stdout).toContain('fleet host control dragon-lin deploy');
  expect((await ground.dragon.host.ssh('jwoltje', 'ls ~/.config/mosaic/fleet')).stdout).not.toContain('roster');
  expect(await fleet('host', 'control', 'dragon-lin', 'deploy')).toMatchObject({ exitCode: 0 });
});

test('agents of the other machine are made and changed from here; its session of before goes on', async () => {
  const before = agentsOf(await see(ground.jarvis), 'dragon-lin').find(({ agent }) => agent === 'coder0-0')?.tmux?.pid;
  const made = await apply(roster('one'));
  expect(made, made.stdout + made.stderr).toMatchObject({ exitCode: 0 });
  await until(async () => (await there()).join() === ALL.join(), SOON);
  const changed = await apply(roster('two'));
  expect(changed, changed.stdout + changed.stderr).toMatchObject({ exitCode: 0 });
  expect(changed.stdout).toContain('model: one → two');
  await until(async () => (await screen('planner')).includes('i am planner two'), SOON);
  expect(await apply(roster('two'))).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('nothing to do') });
  const after = agentsOf(await see(ground.jarvis), 'dragon-lin').find(({ agent }) => agent === 'coder0-0')?.tmux?.pid;
  expect(after).toBe(before);
  expect((await fleet('diff', '-f', 'fleet.yaml')).exitCode).toBe(0);
});

test('what a machine that is away should be told waits for it, is shown, and is done when it is back', async () => {
  const { dragon, jarvis } = ground;
  await dragon.host.cutCable();
  await until(async () => linkWords(hostAgentOf(await see(jarvis), 'dragon-lin')) === 'lost silent', SOON);
  const waits = await apply(roster('three'));
  expect(waits, waits.stdout + waits.stderr).toMatchObject({ exitCode: 3 });
  expect(waits.stdout).toContain('its host is away');
  expect((await fleet('hosts')).stdout).toMatch(/roster of \S+ ago waits/);
  await dragon.host.mendCable();
  await until(async () => (await screen('planner')).includes('i am planner three'), LONG);
  await until(async () => !(await fleet('hosts')).stdout.includes('waits'), SOON);
  expect((await fleet('diff', '-f', 'fleet.yaml')).exitCode).toBe(0);
});

test('what has expired is never done, however late the machine is back', async () => {
  const { dragon, jarvis } = ground;
  await dragon.host.cutCable();
  await until(async () => linkWords(hostAgentOf(await see(jarvis), 'dragon-lin')) === 'lost silent', SOON);
  expect(await apply(roster('four'), '--expires', '10s')).toMatchObject({ exitCode: 3 });
  await until(async () => /expired/.test((await fleet('hosts')).stdout), LONG);
  await dragon.host.mendCable();
  await until(async () => linkWords(hostAgentOf(await see(jarvis), 'dragon-lin')) === 'connected', SOON);
  expect(await there()).toEqual(ALL);
  expect(await screen('planner')).toContain('i am planner three');
  expect((await fleet('diff', '-f', 'fleet.yaml')).exitCode).toBe(1);
});
