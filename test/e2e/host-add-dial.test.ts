/** `fleet host add` over real sshd from one machine to the other, from the first mistake to the last trace removed. */
import { describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { addDragon, fleetUp, untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, hostAgentOf, type Seat, see } from '../helpers/fleet-seen.ts';
import { contentOf, fleetProcessesOf, traceOf } from '../helpers/machine-trace.ts';
import { bootMosaicPair, startCoder, startMosaic } from '../helpers/mosaic.ts';
import { until } from '../helpers/until.ts';

const ground = fleetGround({}, async (bed, options) => {
  const pair = await bootMosaicPair(bed, options);
  await fleetUp(pair.jarvis, 'jarvis');
  return pair;
});

const SELF = ['host', 'add', 'jwoltje@dragon-lin'] as const;

/** The names of the steps that were printed, each with its mark. */
const stepsOf = (stderr: string): string[] =>
  stderr.split('\n').flatMap((line) => /^ ?(ok|[=?!x-]) (\S+(?: line)?) {1,}/.exec(line)?.slice(1, 3).join(' ') ?? []);

/** What stood on dragon-lin before anything was tried. */
let untouched: string[];

const workloads = () => [ground.pair.jarvis.workload(), ground.pair.dragon.workload()];

const daemons = ({ host, user }: Seat) =>
  host.mustSsh(user, 'systemctl --user show -P MainPID fleet-host-agent fleet-controller');

const refused = async (...words: string[]) => {
  const { exitCode, stdout, stderr } = await ground.pair.jarvis.fleet('jarvis', words, { timeoutMs: 60_000 });
  expect(stdout).toBe('');
  const said = stderr.split('\n').filter((line) => line.startsWith('fleet: '));
  expect(said).toHaveLength(1);
  return [exitCode, said[0]];
};

describe('fleet host add', () => {
  test('names in one line why it cannot go to a machine, and leaves it as it was', async () => {
    const { pair, dragon } = ground;
    untouched = await traceOf(dragon);
    const before = [untouched, workloads()];
    expect(await refused('host', 'add', 'jwoltje@nowhere')).toEqual([4, 'fleet: no machine is called nowhere here']);
    expect(await refused('host', 'add', 'nobody@dragon-lin')).toEqual([
      6,
      expect.stringMatching(/^fleet: nobody@dragon-lin accepts none of your ssh keys: .*--identity$/),
    ]);
    expect(await refused('host', 'add', 'jarvis@W-jarvis')).toEqual([
      6,
      expect.stringMatching(/^fleet: ssh does not know the host key of jarvis@W-jarvis: it shows .*--host-key SHA256:/),
    ]);
    expect(await refused('host', 'add', 'jwoltje@dragon-lin', '--port', '2222')).toEqual([
      5,
      expect.stringMatching(/^fleet: cannot connect to jwoltje@dragon-lin: .*refused/),
    ]);
    expect(await refused('host', 'add', 'jwoltje@dragon-lin', '--name', 'no such')).toEqual([
      2,
      expect.stringContaining('--name no such: use'),
    ]);
    await pair.dragon.cutCable();
    const [exitCode, said] = await refused(...SELF);
    await pair.dragon.mendCable();
    expect([exitCode, said]).toEqual([5, expect.stringMatching(/^fleet: cannot connect to jwoltje@dragon-lin: \S/)]);
    expect([await traceOf(dragon), workloads()]).toEqual(before);
  });

  test('says with --dry-run what it would do, and does none of it', async () => {
    const { pair, jarvis, dragon } = ground;
    const listening = () => pair.jarvis.mustSsh('jarvis', 'ss -Htln | sort');
    const before = [await traceOf(dragon), await listening(), workloads()];
    const { exitCode, stdout, stderr } = await pair.jarvis.fleet('jarvis', [...SELF, '--dry-run']);
    expect([exitCode, stdout]).toEqual([0, '']);
    expect(stepsOf(stderr)).toEqual([
      '= connect',
      '= preflight',
      '? node',
      '? fleet',
      '? listen',
      '? reach',
      '? start',
    ]);
    expect(stderr).toMatch(/^dry run: nothing was changed; \d steps would change something$/m);
    expect([await traceOf(dragon), await listening(), workloads()]).toEqual(before);
    expect((await see(jarvis)).hosts.map(({ host }) => host)).toEqual(['W-jarvis']);
  });

  test('can be interrupted at any of its steps, and leaves no process and no session changed', async () => {
    const { pair, jarvis, dragon } = ground;
    const before = workloads();
    const here = await fleetProcessesOf(jarvis);
    for (const [signal, step] of [
      ['SIGINT', 'connect'],
      ['SIGKILL', 'preflight'],
      ['SIGKILL', 'node'],
      ['SIGTERM', 'fleet'],
      ['SIGKILL', 'reach'],
    ] as const) {
      const running = await pair.jarvis.start('jarvis', `echo $$; exec ~/.local/bin/fleet ${SELF.join(' ')} 2>&1`);
      const lines: string[] = [];
      running.onLine((line) => lines.push(line));
      await until(() => stepsOf(lines.join('\n')).some((each) => each.endsWith(` ${step}`)), { timeoutMs: 90_000 });
      await pair.jarvis.kill(Number(lines[0]), signal);
      await until(() => running.hasEnded, { timeoutMs: 30_000 });
      await until(async () => (await fleetProcessesOf(jarvis)).length === here.length, { timeoutMs: 30_000 });
      // After the last of them nothing but the way of the signal decides how far it comes.
      if (step !== 'reach') expect(lines.join('\n')).not.toContain('rows');
      expect(workloads()).toEqual(before);
    }
    // Nor does one that is left over keep running on the other side.
    await until(
      async () => (await fleetProcessesOf(dragon)).every((line) => /bin\/fleet-host-agent|host-agent\.mjs/.test(line)),
      { timeoutMs: 20_000 },
    );
  });

  test('prints each step with its outcome and the first rows, and touches no session and no file of the operators', async () => {
    const { pair, jarvis, dragon } = ground;
    const before = [workloads(), await contentOf(jarvis, '.config/mosaic'), await contentOf(dragon, 'coder')];
    const { exitCode, stdout, stderr } = await pair.jarvis.fleet('jarvis', SELF, { timeoutMs: 120_000 });
    expect([exitCode, stderr.match(/^fleet: .*/gm)]).toEqual([0, null]);
    const steps = stepsOf(stderr);
    expect(steps.slice(0, 2)).toEqual(['= connect', '= preflight']);
    expect(steps.at(-1)).toBe('= rows');
    expect(stderr).toMatch(/^ = connect +host key ssh-ed25519 SHA256:\S+$/m);
    expect(stderr).toMatch(/^ = preflight +tmux \S+, x86_64 glibc \S+, user manager, \S+ MiB free$/m);
    expect(stderr).toMatch(/^ = rows +dragon-lin is connected, 1 agents?$/m);
    expect(stdout).toMatch(/^ {4}coder0-0 +node +working .*UNMANAGED$/m);
    await untilWhole(pair);
    expect([workloads(), await contentOf(jarvis, '.config/mosaic'), await contentOf(dragon, 'coder')]).toEqual(before);
  });

  test('changes nothing the second time', async () => {
    const { pair, jarvis, dragon } = ground;
    const facts = async () => [
      await daemons(jarvis),
      await daemons(dragon),
      await contentOf(dragon, '.local/share/fleet'),
      await contentOf(dragon, '.config'),
      await pair.dragon.mustSsh('jwoltje', 'cat ~/.ssh/authorized_keys ~/.local/state/fleet/host-agent/identity.json'),
      workloads(),
    ];
    const before = await facts();
    const said = await addDragon(pair);
    expect(stepsOf(said).map((step) => step.split(' ')[0])).toEqual(stepsOf(said).map(() => '='));
    expect(said).toContain('nothing had to be changed\n');
    expect(await facts()).toEqual(before);
  });

  test('refuses a name or a machine that is enrolled otherwise, and says what to type', async () => {
    expect(await refused(...SELF, '--name', 'other')).toEqual([
      8,
      'fleet: it is enrolled as dragon-lin: fleet host rm dragon-lin, then add it as other',
    ]);
  });

  test('sets the host policy that is asked for, on that host', async () => {
    const { pair, jarvis } = ground;
    const policy = () => pair.dragon.mustSsh('jwoltje', 'cat ~/.config/fleet/host-policy.json');
    await addDragon(pair, ['--control', 'observe']);
    expect(JSON.parse(await policy())).toMatchObject({ control: 'observe' });
    await until(async () => hostAgentOf(await see(jarvis), 'dragon-lin').control === 'observe', { timeoutMs: 30_000 });
    await addDragon(pair);
    expect(JSON.parse(await policy())).toMatchObject({ control: 'observe' });
  });

  test('holds over a reboot of either machine: what it started comes back by itself', async () => {
    const { pair, jarvis, dragon } = ground;
    await Promise.all([pair.jarvis.powerOff(), pair.dragon.powerOff()]);
    await Promise.all([pair.jarvis.bootAgain(), pair.dragon.bootAgain()]);
    await untilWhole(pair);
    // Nothing of theirs does: their units are disabled. Which is what BOOT-ENABLE had said.
    await until(
      async () => {
        const rows = agentsOf(await see(dragon), 'W-jarvis');
        expect(rows.map(({ agent, readiness, flags }) => [agent, readiness, flags])).toEqual([
          ['canary-pi', 'dead', ['MISSING']],
          ['dogfood-orchestrator', 'dead', ['MISSING']],
          ['dogfood-coder', 'dead', ['MISSING']],
          ['dogfood-reviewer', 'dead', ['MISSING']],
        ]);
        return agentsOf(await see(jarvis), 'dragon-lin').length === 0;
      },
      { timeoutMs: 30_000 },
    );
    await startMosaic(pair.jarvis);
    await startCoder(pair.dragon);
    await until(
      async () => (await see(dragon)).agents.filter(({ readiness }) => readiness === 'working').length === 5,
      { timeoutMs: 60_000 },
    );
  });
});

describe('fleet host rm', () => {
  const RM = ['host', 'rm', 'dragon-lin'] as const;

  test('asks first, and with --dry-run only says what it would do', async () => {
    const { dragon, jarvis, pair } = ground;
    const before = [await traceOf(dragon), await daemons(dragon)];
    expect(await refused(...RM)).toEqual([2, expect.stringMatching(/^fleet: remove fleet from .*\? .*--yes$/)]);
    const dry = await pair.jarvis.fleet('jarvis', [...RM, '--dry-run']);
    expect([dry.exitCode, stepsOf(dry.stderr).slice(1)]).toEqual([
      0,
      ['? revoke', '? key line', '? remove', '? tunnel'],
    ]);
    expect([await traceOf(dragon), await daemons(dragon)]).toEqual(before);
    expect(hostAgentOf(await see(jarvis), 'dragon-lin').link.state).toBe('connected');
  });

  test('leaves no file, no unit, no process and no linger of ours, and every session as it was', async () => {
    const { dragon, jarvis, pair } = ground;
    const before = workloads();
    const { exitCode, stderr } = await pair.jarvis.fleet('jarvis', [...RM, '--yes'], { timeoutMs: 60_000 });
    expect([exitCode, stderr.match(/^fleet: .*/gm)]).toEqual([0, null]);
    expect(stepsOf(stderr)).toEqual(['= connect', 'ok revoke', '= key line', 'ok remove', '= tunnel']);
    await until(async () => (await fleetProcessesOf(dragon)).length === 0, { timeoutMs: 30_000 });
    expect(await traceOf(dragon)).toEqual(untouched);
    await until(async () => (await see(jarvis)).hosts.map(({ host }) => host).join() === 'W-jarvis', {
      timeoutMs: 30_000,
    });
    expect(await pair.jarvis.mustSsh('jarvis', 'ls ~/.local/state/fleet/ssh/hosts')).toBe('');
    expect(workloads()).toEqual(before);
    expect(await refused(...RM, '--yes')).toEqual([
      4,
      'fleet: dragon-lin was not added over ssh from here: name it USER@MACHINE, or only revoke it with --forget',
    ]);
  });

  test('leaves linger where an agent would die without it, and says which', async () => {
    const { dragon, pair } = ground;
    await addDragon(pair);
    const lingering = () => pair.dragon.asRoot('ls /var/lib/systemd/linger');
    expect(await lingering()).toBe('jwoltje\n');
    await pair.dragon.mustSsh(
      'jwoltje',
      'systemd-run --user --quiet -p Type=forking tmux -u -L own new-session -d -s own',
    );
    const before = workloads();
    const { exitCode, stderr } = await pair.jarvis.fleet('jarvis', [...RM, '--yes'], { timeoutMs: 60_000 });
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/kept linger: \S.* depends on it/)]);
    await until(async () => (await fleetProcessesOf(dragon)).length === 0, { timeoutMs: 30_000 });
    expect([await lingering(), workloads()]).toEqual(['jwoltje\n', before]);
  });
});
