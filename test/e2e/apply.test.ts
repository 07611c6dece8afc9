/** From an empty host to a running fleet: what the roster says is there, survives the cord, and what was removed stays away. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fleetUp } from '../helpers/fleet-pair.ts';
import { type Seat, see } from '../helpers/fleet-seen.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { until } from '../helpers/until.ts';

const LONG = { timeoutMs: 150_000 };
const SOON = { timeoutMs: 60_000 };
const ROSTER = '~/.config/mosaic/fleet/roster.yaml';
let bed: Testbed;
let jarvis: Seat;
keepEvidence(() => bed);

/** What a launch begins by default, and a process table knows for pi: it says what it was given and stays. */
const LAUNCHER = `#!/bin/sh
exec "$HOME/.local/bin/pi" -c 'import os, time
print("i am", os.environ.get("MOSAIC_AGENT_NAME"), os.environ.get("MOSAIC_AGENT_MODEL"), os.getcwd(), flush=True)
time.sleep(1e6)'
`;

beforeAll(async () => {
  bed = await Testbed.start();
  const host = await bed.boot('W-jarvis', { users: [{ name: 'jarvis', uid: 1000, linger: true }] });
  jarvis = { host, user: 'jarvis' };
  await host.mustSsh('jarvis', 'mkdir -p ~/.local/bin && cp "$(readlink -f /usr/bin/python3)" ~/.local/bin/pi');
  await host.writeFile('/home/jarvis/.local/bin/mosaic', LAUNCHER, { owner: 'jarvis', mode: '755' });
  await fleetUp(host, 'jarvis');
});
afterAll(() => bed?.stop());

const fleet = (...words: string[]) => jarvis.host.fleet('jarvis', words, LONG);
const running = async (): Promise<string[]> =>
  (await see(jarvis)).agents
    .filter(({ tmux }) => tmux !== null && tmux.dead !== true)
    .map(({ agent }) => agent)
    .sort();
/** Its session may be there before its program has said anything. */
const untilSays = (agent: string, words: string) =>
  until(async () => {
    const { stdout, stderr } = await fleet('tail', agent);
    if (!stdout.includes(words)) throw new Error(`${agent} says ${stdout}${stderr}`);
    return true;
  }, SOON);

test('an empty host becomes a running fleet by init and apply, and a second apply has nothing to do', async () => {
  const made = await fleet('init', '--preset', 'coding', '--workdir', '~/work', '--deploy');
  expect(made, made.stderr).toMatchObject({ exitCode: 0 });
  const applied = await fleet('apply');
  expect(applied, applied.stdout + applied.stderr).toMatchObject({ exitCode: 0 });
  await until(async () => (await running()).join() === 'coder,orchestrator,reviewer,worker', SOON);
  await untilSays('coder', 'i am coder openai-codex/gpt-5.5:high /home/jarvis/work');
  await until(async () => {
    const rows = (await see(jarvis)).agents;
    expect(rows.map(({ runtime_seen, flags }) => [runtime_seen, flags])).toEqual(rows.map(() => ['pi', []]));
    return true;
  }, SOON);
  expect(await fleet('apply')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('nothing to do\n') });
});

test('what a hand wrote into the roster is made so by apply, its comments kept by edit, add and rm', async () => {
  await jarvis.host.mustSsh('jarvis', `sed -i '/name: coder/,/lifecycle/s/gpt-5.5:high/gpt-5.5:low/' ${ROSTER}`);
  const applied = await fleet('apply', '--yes');
  expect(applied, applied.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('~ coder') });
  await untilSays('coder', 'gpt-5.5:low');
  const added = await fleet('add', 'scout', '--runtime', 'pi', '--lifecycle', 'core', '--env', 'TASK=1');
  expect(added, added.stderr).toMatchObject({ exitCode: 0 });
  const gone = await fleet('rm', 'reviewer', '--yes');
  expect(gone, gone.stdout + gone.stderr).toMatchObject({ exitCode: 0 });
  await until(async () => (await running()).join() === 'coder,orchestrator,scout,worker', SOON);
  const roster = await jarvis.host.mustSsh('jarvis', `cat ${ROSTER}`);
  expect(roster).toContain('  # Writes the code.\n  - name: coder\n');
  expect(roster).not.toContain('reviewer');
});

test('after the cord is pulled every core agent is back as its roster says, and nothing else', async () => {
  await jarvis.host.pullCord();
  await jarvis.host.bootAgain();
  await until(async () => (await running()).join() === 'coder,orchestrator,scout', { timeoutMs: 90_000 });
  await untilSays('coder', 'i am coder openai-codex/gpt-5.5:low /home/jarvis/work');
  const left = await jarvis.host.ssh('jarvis', 'systemctl --user list-unit-files --no-legend "mosaic-agent@*"');
  expect(left.stdout).not.toContain('reviewer');
  expect(await fleet('apply')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('nothing to do\n') });
});
