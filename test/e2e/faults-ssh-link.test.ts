/** The same faults where only ssh reaches dragon-lin: its uplink rides a tunnel from W-jarvis, and nothing else works. */
import { describe, expect, test } from 'vitest';
import { daemonPid, faultGround, TOLD_MS } from '../helpers/fault-ground.ts';
import { agentsOf, hostAgentOf, see } from '../helpers/fleet-seen.ts';

const ground = faultGround({
  beforeHostAdd: ({ dragon, jarvis }) => dragon.blockDialling(jarvis),
  hostAdd: ['--link', 'ssh'],
});

const TUNNEL = 'fleet-tunnel@dragon-lin:jwoltje.service';

describe('an uplink over ssh', () => {
  test('is told as such', async () => {
    expect(hostAgentOf(await see(ground.jarvis), 'dragon-lin').via).toBe('ssh');
    expect((await ground.pair.jarvis.fleet('jarvis', ['hosts'])).stdout).toMatch(/dragon-lin .* ssh /);
  });

  test('that is cut is told as resuming, then lost, with its rows, and comes back by itself', async () => {
    const { pair, jarvis, onJarvis, onDragon } = ground;
    ground.mark();
    await pair.dragon.cutCable();
    expect(await onJarvis.until('dragon-lin', 'resuming silent', 20_000)).toBeLessThanOrEqual(TOLD_MS.resuming);
    expect(await onJarvis.until('dragon-lin', 'lost silent', 30_000)).toBeLessThanOrEqual(TOLD_MS.lost);
    expect(await onDragon.until('W-jarvis', 'lost controller_unreachable', 30_000)).toBeLessThanOrEqual(TOLD_MS.lost);
    ground.unharmed();
    expect(agentsOf(await see(jarvis), 'dragon-lin').map(({ agent, current }) => [agent, current])).toEqual([
      ['coder0-0', false],
    ]);
    const said = await pair.dragon.fleet('jwoltje', ['ps']);
    expect(said.stderr).toMatch(/^LOCAL ONLY: controller \S+ unreachable \S+ \(.+\)\n/);
    expect(said.stdout).toMatch(/^ {4}coder0-0 /m);
    await pair.dragon.mendCable();
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await ground.whole();
    expect(hostAgentOf(await see(jarvis), 'dragon-lin').via).toBe('ssh');
  });

  test('comes back when its tunnel is killed', async () => {
    const { pair, onJarvis } = ground;
    ground.mark();
    await pair.jarvis.mustSsh('jarvis', `kill -9 $(systemctl --user show -P MainPID '${TUNNEL}')`);
    await onJarvis.until('dragon-lin', 'resuming stream_closed', 20_000);
    await onJarvis.until('dragon-lin', 'connected', 60_000);
    ground.unharmed();
    await ground.whole();
  });

  test('comes back when the host-agent at its far end is killed, never told as lost', async () => {
    const { pair, dragon, onJarvis } = ground;
    ground.mark();
    await pair.dragon.kill(await daemonPid(dragon, 'host-agent'), 'SIGKILL');
    await onJarvis.until('dragon-lin', 'resuming stream_closed', 20_000);
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    expect(onJarvis.words('dragon-lin')).toEqual(['resuming stream_closed', 'connected']);
    await ground.whole();
  });

  test('comes back when the controller is restarted, and nobody is told as lost', async () => {
    const { pair, onJarvis, onDragon } = ground;
    ground.mark();
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user restart fleet-controller');
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await onDragon.until('W-jarvis', 'connected', 45_000);
    const told = [...onJarvis.words('dragon-lin'), ...onDragon.words('W-jarvis')];
    expect(told.filter((words) => words.startsWith('lost'))).toEqual([]);
    await ground.whole();
  });

  test('is told as stopped when the host-agent at its far end is stopped', async () => {
    const { pair, onJarvis } = ground;
    ground.mark();
    await pair.dragon.mustSsh('jwoltje', '~/.local/bin/fleet down');
    await onJarvis.until('dragon-lin', 'lost stopped', 20_000);
    ground.unharmed();
    await pair.dragon.fleet('jwoltje', ['up'], { timeoutMs: 60_000 });
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await ground.whole();
  });
});
