/** `fleet host add` to a machine that cannot dial back: why is said, a tunnel of its own carries the uplink, rm ends it. */
import { describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { addDragon, fleetUp, untilWhole } from '../helpers/fleet-pair.ts';
import { hostAgentOf, see } from '../helpers/fleet-seen.ts';
import { fleetProcessesOf, traceOf } from '../helpers/machine-trace.ts';
import { bootMosaicPair } from '../helpers/mosaic.ts';
import { until } from '../helpers/until.ts';

let untouched: string[];
let untouchedHere: string;

const ground = fleetGround({}, async (bed, options) => {
  const pair = await bootMosaicPair(bed, options);
  await fleetUp(pair.jarvis, 'jarvis');
  await pair.dragon.blockDialling(pair.jarvis);
  return pair;
});

const TUNNEL = "'fleet-tunnel@dragon-lin:jwoltje.service'";
const tunnelPid = async () =>
  Number(await ground.pair.jarvis.mustSsh('jarvis', `systemctl --user show -P MainPID ${TUNNEL}`));
const keysOnDragon = () => ground.pair.dragon.mustSsh('jwoltje', 'cat ~/.ssh/authorized_keys');
/** Units, keys and settings of tunnels, and the hosts that are remembered, on W-jarvis. */
const keptOnJarvis = () =>
  ground.pair.jarvis.mustSsh('jarvis', 'cd; find .config/systemd .local/state/fleet/ssh ! -type d 2>/dev/null | sort');

describe('a machine that cannot dial back', () => {
  test('is refused with --link dial, which says what was tried', async () => {
    const { pair, dragon } = ground;
    untouched = await traceOf(dragon);
    untouchedHere = await keptOnJarvis();
    const words = ['host', 'add', 'jwoltje@dragon-lin', '--link', 'dial'];
    const { exitCode, stdout, stderr } = await pair.jarvis.fleet('jarvis', words, { timeoutMs: 120_000 });
    expect([exitCode, stdout]).toEqual([5, '']);
    expect(stderr).toMatch(/^fleet: it reaches the controller nowhere: \S/m);
  });

  test('is told why, and its uplink rides ssh; both sides show one whole picture', async () => {
    const { pair, jarvis } = ground;
    const before = [pair.jarvis.workload(), pair.dragon.workload()];
    const said = await addDragon(pair);
    expect(said).toMatch(/^ = reach +no dial works \(\S.*\): the uplink rides ssh$/m);
    expect(said).toMatch(/^ok tunnel +\S/m);
    await untilWhole(pair);
    expect(hostAgentOf(await see(jarvis), 'dragon-lin')).toMatchObject({ via: 'ssh', current: true });
    expect((await pair.dragon.fleet('jwoltje', ['ps'])).stdout).toMatch(/^ {4}canary-pi +stub \(not pi\) /m);
    expect([pair.jarvis.workload(), pair.dragon.workload()]).toEqual(before);
  });

  test('has one key line more, of a key that may only forward, kept beside the unit that uses it', async () => {
    const lines = (await keysOnDragon()).trim().split('\n');
    expect(lines.slice(2)).toEqual([
      expect.stringMatching(/^restrict,port-forwarding,command="[^"]*uplink\.sock" ssh-ed25519 \S+ fleet-tunnel:\S+$/),
    ]);
    const { pair } = ground;
    const key = (await keptOnJarvis()).split('\n').find((path) => /ssh\/tunnel-.*key$/.test(path)) as string;
    const options = '-F none -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none';
    const stranger = `ssh ${options} -i '${key}' jwoltje@dragon-lin id`;
    const tried = await pair.jarvis.ssh('jarvis', `stat -c %a '${key}'; ${stranger}`);
    // Neither the command's output nor a refusal of the key: all that it may run is what clears the way for a tunnel.
    expect([tried.stdout, tried.stderr]).toEqual(['600\n', expect.not.stringContaining('denied')]);
  });

  test('gets its tunnel back by the next host add when somebody removed the socket at its far end', async () => {
    const { pair } = ground;
    await pair.dragon.mustSsh('jwoltje', 'rm -f /run/user/1000/fleet/uplink.sock');
    expect(await addDragon(pair)).toMatch(/^ok tunnel +restarted: /m);
    await untilWhole(pair);
    expect(await pair.dragon.mustSsh('jwoltje', 'test -S /run/user/1000/fleet/uplink.sock && echo there')).toBe(
      'there\n',
    );
  });

  test('keeps its tunnel when it is added again: nothing changes', async () => {
    const { pair } = ground;
    const before = [await tunnelPid(), await keysOnDragon(), await keptOnJarvis()];
    expect(await addDragon(pair)).toContain('nothing had to be changed\n');
    expect([await tunnelPid(), await keysOnDragon(), await keptOnJarvis()]).toEqual(before);
  });

  test('comes back by itself when the ssh of its tunnel is killed', async () => {
    const { pair, jarvis } = ground;
    const before = [await tunnelPid(), pair.dragon.workload()];
    await pair.jarvis.kill(before[0] as number, 'SIGKILL');
    await until(async () => hostAgentOf(await see(jarvis), 'dragon-lin').link.state !== 'connected', {
      timeoutMs: 30_000,
    });
    await untilWhole(pair);
    expect(pair.dragon.workload()).toEqual(before[1]);
    expect(await tunnelPid()).not.toBe(before[0]);
  });

  test('leaves no key line, unit, key or socket behind when it is removed', async () => {
    const { pair, jarvis, dragon } = ground;
    const before = [pair.jarvis.workload(), pair.dragon.workload()];
    const { exitCode, stderr } = await pair.jarvis.fleet('jarvis', ['host', 'rm', 'dragon-lin', '--yes'], {
      timeoutMs: 60_000,
    });
    expect([exitCode, stderr.match(/^fleet: .*/gm)]).toEqual([0, null]);
    await until(async () => (await fleetProcessesOf(dragon)).length === 0, { timeoutMs: 30_000 });
    expect(await traceOf(dragon)).toEqual(untouched);
    const tunnels = async () => (await fleetProcessesOf(jarvis)).filter((line) => /\bssh\b/.test(line));
    await until(async () => (await tunnels()).length === 0, { timeoutMs: 30_000 });
    expect(await keptOnJarvis()).toBe(untouchedHere);
    await until(async () => (await see(jarvis)).hosts.map(({ host }) => host).join() === 'W-jarvis', {
      timeoutMs: 30_000,
    });
    expect([pair.jarvis.workload(), pair.dragon.workload()]).toEqual(before);
  });

  test('dials when it can again, after the next host add, and the tunnel goes', async () => {
    const { pair, jarvis } = ground;
    await addDragon(pair, ['--link', 'ssh']);
    await untilWhole(pair);
    await pair.dragon.allowDialling();
    await addDragon(pair, ['--link', 'dial']);
    await untilWhole(pair);
    await until(async () => hostAgentOf(await see(jarvis), 'dragon-lin').via === 'dial', { timeoutMs: 30_000 });
    expect(await keysOnDragon()).not.toContain('restrict');
    expect(await keptOnJarvis()).not.toContain('tunnel');
  });
});
