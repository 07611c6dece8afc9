/** What is told when the controller restarts, dies, freezes or is gone. No host is ever called lost for its sake. */
import { describe, expect, test } from 'vitest';
import { daemonPid, faultGround, TOLD_MS, untilLogged } from '../helpers/fault-ground.ts';
import { agentsOf, type FleetFeed, see } from '../helpers/fleet-seen.ts';

const ground = faultGround();

const addressesOf = async (host: string): Promise<string[]> =>
  agentsOf(await see(ground.jarvis), host).map(({ address }) => address);

/** By the word of a controller that lives; `controller_unreachable` is the host-agent's own word about it. */
const hostsCalledLost = (feed: FleetFeed): string[] =>
  ['W-jarvis', 'dragon-lin'].flatMap((host) => feed.words(host)).filter((words) => words.startsWith('lost'));

describe('the controller', () => {
  test.each([
    ['restarted', 'systemctl --user restart fleet-controller'],
    ['killed', 'kill -9 $(systemctl --user show -P MainPID fleet-controller)'],
  ])('that is %s shows hosts as unconfirmed with their last rows until they speak', async (_, command) => {
    const { pair, onJarvis, onDragon } = ground;
    const before = await addressesOf('dragon-lin');
    const pid = await daemonPid(ground.jarvis, 'controller');
    ground.mark();
    await pair.jarvis.mustSsh('jarvis', command);
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await onDragon.until('W-jarvis', 'connected', 45_000);
    ground.unharmed();
    expect([...hostsCalledLost(onJarvis), ...hostsCalledLost(onDragon)]).toEqual([]);
    expect(onJarvis.words('W-jarvis')).toEqual([]);
    expect(onDragon.words('dragon-lin')).toEqual([]);
    expect(onJarvis.removals()).toEqual([]);
    expect(onDragon.removals()).toEqual([]);
    expect(await addressesOf('dragon-lin')).toEqual(before);
    await ground.whole();
    expect(await daemonPid(ground.jarvis, 'controller')).not.toBe(pid);
  });

  test('that starts while a host is cut off calls it unconfirmed, with its rows, and lost only after its window', async () => {
    const { pair, onJarvis } = ground;
    const before = await addressesOf('dragon-lin');
    ground.mark();
    await pair.dragon.cutCable();
    await onJarvis.until('dragon-lin', 'resuming silent', 20_000);
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user restart fleet-controller');
    const atMs = await onJarvis.until('dragon-lin', 'unconfirmed controller_started', 20_000);
    expect(await addressesOf('dragon-lin')).toEqual(before);
    const lostMs = await onJarvis.until('dragon-lin', 'lost silent', 60_000);
    expect(lostMs - atMs).toBeGreaterThan(2_000);
    ground.unharmed();
    expect(await addressesOf('dragon-lin')).toEqual(before);
    await pair.dragon.mendCable();
    await ground.whole();
  });

  test('that was frozen calls nobody lost for its own absence', async () => {
    const { pair, onJarvis, onDragon } = ground;
    const pid = await daemonPid(ground.jarvis, 'controller');
    ground.mark();
    await pair.jarvis.freeze([pid]);
    await onJarvis.until('dragon-lin', 'lost controller_unreachable', 25_000);
    expect(await onDragon.until('W-jarvis', 'lost controller_unreachable', 20_000)).toBeLessThanOrEqual(TOLD_MS.lost);
    ground.unharmed();
    ground.mark();
    await pair.jarvis.thaw([pid]);
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await onDragon.until('W-jarvis', 'connected', 45_000);
    expect([...hostsCalledLost(onJarvis), ...hostsCalledLost(onDragon)]).toEqual([]);
    await ground.whole();
    await untilLogged(pair.jarvis, 'jarvis', 'controller', 'controller was paused');
    const log = await untilLogged(pair.jarvis, 'jarvis', 'controller', '"reason":"controller_paused"');
    const afterPause = log.slice(log.lastIndexOf('controller was paused'));
    expect(afterPause).not.toContain('"link":"lost"');
  });

  test('that is gone leaves the local machine current on either side, and says so first', async () => {
    const { pair, onJarvis, onDragon } = ground;
    ground.mark();
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user stop fleet-controller');
    await onJarvis.until('dragon-lin', 'resuming controller_unreachable', 20_000);
    const here = await pair.jarvis.fleet('jarvis', ['ps']);
    expect(here.exitCode).toBe(0);
    expect(here.stderr).toMatch(/^LOCAL ONLY: controller \S+:7443 unreachable \S+ \(.+\)\n/);
    expect(here.stdout).toMatch(/^ {4}canary-pi /m);
    expect(here.stdout).toMatch(/^ {2}~ coder0-0 .* was /m);
    const there = await pair.dragon.fleet('jwoltje', ['ps']);
    expect(there.stderr).toMatch(/^LOCAL ONLY: controller 10\.213\.7\.11:7443 unreachable \S+ \(.+\)\n/);
    expect(there.stdout).toMatch(/^ {4}coder0-0 /m);
    expect(there.stdout).toMatch(/^ {2}~ canary-pi .* was /m);
    expect((await pair.dragon.fleet('jwoltje', ['ps', '--strict'])).exitCode).toBe(3);
    expect((await pair.dragon.fleet('jwoltje', ['ps', '--local', '--strict'])).exitCode).toBe(0);
    await onDragon.until('W-jarvis', 'lost controller_unreachable', 20_000);
    ground.unharmed();
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user start fleet-controller');
    await ground.whole();
  });
});
