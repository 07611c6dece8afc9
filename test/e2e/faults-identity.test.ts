/** Identities that are taken back, and one that two host-agents hold: refused, named, and nothing else disturbed. */
import { describe, expect, test } from 'vitest';
import { faultGround, untilLogged } from '../helpers/fault-ground.ts';
import { addDragon } from '../helpers/fleet-pair.ts';
import { agentsOf, see } from '../helpers/fleet-seen.ts';
import { until } from '../helpers/until.ts';

const ground = faultGround();

/** On W-jarvis, whose host-agent hears of it from the controller. */
const alone = () =>
  until(
    async () => {
      expect((await see(ground.jarvis)).hosts.map(({ host }) => host)).toEqual(['W-jarvis']);
      return true;
    },
    { timeoutMs: 20_000 },
  );

/** On dragon-lin, until its own fleet says that it is refused. */
const refusedThere = async (): Promise<void> => {
  await until(
    async () => {
      const { stderr, stdout } = await ground.pair.dragon.fleet('jwoltje', ['ps']);
      if (!/^LOCAL ONLY: controller \S+ refuses this host/.test(stderr)) throw new Error(stderr);
      return /^ {4}coder0-0 /m.test(stdout);
    },
    { timeoutMs: 40_000 },
  );
};

describe('an identity', () => {
  test('that was revoked while its host was cut off is refused when it dials, and the refusal is logged', async () => {
    const { pair, onJarvis } = ground;
    ground.mark();
    await pair.dragon.cutCable();
    await onJarvis.until('dragon-lin', 'lost silent', 20_000);
    const rm = await pair.jarvis.fleet('jarvis', ['host', 'rm', 'dragon-lin', '--forget', '--yes']);
    expect([rm.exitCode, rm.stderr]).toEqual([0, expect.stringContaining('revoked')]);
    await alone();
    await pair.dragon.mendCable();
    await refusedThere();
    ground.unharmed();
    await alone();
    await untilLogged(pair.jarvis, 'jarvis', 'controller', /revoked.*dragon-lin|dragon-lin.*revoked/);
    expect(onJarvis.words('W-jarvis')).toEqual([]);
    await addDragon(pair);
    await ground.whole();
  });

  test('that is revoked while it reports is cut off at once', async () => {
    const { pair, onJarvis } = ground;
    ground.mark();
    const rm = await pair.jarvis.fleet('jarvis', ['host', 'rm', 'dragon-lin', '--forget', '--yes']);
    expect(rm.exitCode).toBe(0);
    await alone();
    await refusedThere();
    ground.unharmed();
    expect(onJarvis.words('W-jarvis')).toEqual([]);
    await addDragon(pair);
    await ground.whole();
  });

  test('that two host-agents hold is named, and the line does not flap', async () => {
    const { pair, jarvis, onJarvis } = ground;
    const twin = '~/.local/state/fleet/instances/twin';
    await pair.dragon.mustSsh('jwoltje', `mkdir -p -m 700 ${twin} && cp -a ~/.local/state/fleet/host-agent ${twin}/`);
    ground.mark();
    const program = `~/.local/share/fleet/current/bin/fleet-host-agent --instance twin --log ${twin}/twin.log`;
    const start = `echo $$ > ${twin}/pid; exec ${program} > /dev/null 2>&1 < /dev/null`;
    await pair.dragon.mustSsh('jwoltje', `setsid -f sh -c '${start}' > /dev/null 2>&1 < /dev/null`);
    const readPid = async () => Number((await pair.dragon.ssh('jwoltje', `cat ${twin}/pid`)).stdout);
    const pid = await until(readPid, { timeoutMs: 20_000 });
    expect(pid).toBeGreaterThan(1);
    await onJarvis.until('dragon-lin', 'connected duplicate_identity', 120_000);
    ground.unharmed();
    const shown = await pair.jarvis.fleet('jarvis', ['hosts']);
    expect(shown.stdout).toContain('duplicate identity');
    ground.mark();
    const refusals = async () =>
      (await pair.dragon.mustSsh('jwoltje', `cat ${twin}/twin.log`)).split('another host-agent reports as').length;
    const before = await refusals();
    await until(async () => (await refusals()) >= before + 2, { timeoutMs: 120_000 });
    expect(onJarvis.words('dragon-lin')).toEqual([]);
    expect(agentsOf(await see(jarvis), 'dragon-lin').map(({ agent }) => agent)).toEqual(['coder0-0']);

    await pair.dragon.kill(pid, 'SIGKILL');
    await onJarvis.until('dragon-lin', 'connected', 90_000);
    await ground.whole();
  });
});
