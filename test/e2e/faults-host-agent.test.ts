/** What is told when the host-agent of a machine freezes, dies, is stopped and started. Its sessions never notice. */
import { describe, expect, test } from 'vitest';
import { daemonPid, faultGround, TOLD_MS } from '../helpers/fault-ground.ts';
import { agentsOf, agesOf, see } from '../helpers/fleet-seen.ts';
import { until } from '../helpers/until.ts';

const ground = faultGround();

describe('the host-agent of dragon-lin', () => {
  test('is told as silent while it is frozen, and is back when it is thawed', async () => {
    const { pair, jarvis, dragon, onJarvis } = ground;
    const pid = await daemonPid(dragon, 'host-agent');
    ground.mark();
    await pair.dragon.freeze([pid]);
    expect(await onJarvis.until('dragon-lin', 'resuming silent', 20_000)).toBeLessThanOrEqual(TOLD_MS.resuming);
    expect(await onJarvis.until('dragon-lin', 'lost silent', 30_000)).toBeLessThanOrEqual(TOLD_MS.lost);
    ground.unharmed();
    const rows = agentsOf(await see(jarvis), 'dragon-lin');
    expect(rows.map(({ agent, current }) => [agent, current])).toEqual([['coder0-0', false]]);
    const later = await until(
      async () => {
        const next = agentsOf(await see(jarvis), 'dragon-lin');
        return (next[0]?.observed_age_seconds ?? 0) >= (rows[0]?.observed_age_seconds ?? 0) + 2 && next;
      },
      { timeoutMs: 30_000 },
    );
    expect(agesOf(later)).toEqual(agesOf(rows));

    await pair.dragon.thaw([pid]);
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await ground.whole();
    expect(await daemonPid(dragon, 'host-agent')).toBe(pid);
  });

  test('does not hold up fleet ps on its machine while it is frozen', async () => {
    const { pair, dragon } = ground;
    const pid = await daemonPid(dragon, 'host-agent');
    await pair.dragon.freeze([pid]);
    const said = await pair.dragon.fleet('jwoltje', ['ps'], { timeoutMs: 45_000 });
    await pair.dragon.thaw([pid]);
    expect([said.exitCode, said.stdout]).toEqual([7, '']);
    expect(said.stderr).toMatch(/^fleet: the host-agent of this machine did not answer within 10 s: .*\n$/);
    await ground.whole();
  });

  test('comes back by itself when it is killed, without ever being told as lost', async () => {
    const { pair, dragon, onJarvis } = ground;
    const pid = await daemonPid(dragon, 'host-agent');
    ground.mark();
    await pair.dragon.kill(pid, 'SIGKILL');
    await onJarvis.until('dragon-lin', 'resuming stream_closed', 20_000);
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    ground.unharmed();
    expect(onJarvis.words('dragon-lin')).toEqual(['resuming stream_closed', 'connected']);
    await ground.whole();
    expect(await daemonPid(dragon, 'host-agent')).not.toBe(pid);
  });

  test('says good-bye when its unit is restarted, and is back', async () => {
    const { pair, onJarvis } = ground;
    ground.mark();
    await pair.dragon.mustSsh('jwoltje', 'systemctl --user restart fleet-host-agent');
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    ground.unharmed();
    expect(onJarvis.words('dragon-lin')).toEqual(['lost stopped', 'connected']);
    await ground.whole();
  });

  test('is told as stopped within a second of fleet down, and fleet up brings it back', async () => {
    const { pair, jarvis, onJarvis, onDragon } = ground;
    const before = agentsOf(await see(jarvis), 'dragon-lin').map(({ address }) => address);
    ground.mark();
    const stop = `date +%s%N; ~/.local/bin/fleet down; systemctl --user show -P ActiveState fleet-host-agent`;
    const down = pair.dragon.mustSsh('jwoltje', stop);
    await onJarvis.until('dragon-lin', 'lost stopped', 20_000);
    const told = Date.now();
    expect(await down).toMatch(/^inactive$/m);
    // From the moment at which systemd asked it to end.
    const asked = await pair.dragon.mustSsh(
      'jwoltje',
      `journalctl --user -u fleet-host-agent -o json --no-pager | grep -h 'host-agent stopping' | tail -n 1`,
    );
    const askedMs = Number((JSON.parse(asked) as { __REALTIME_TIMESTAMP: string }).__REALTIME_TIMESTAMP) / 1_000;
    // A second is promised; more is the way from there to here.
    expect(told - askedMs).toBeLessThanOrEqual(1_000 + 3_000);
    ground.unharmed();
    expect(onJarvis.words('dragon-lin')).toEqual(['lost stopped']);
    const rows = agentsOf(await see(jarvis), 'dragon-lin');
    expect(rows.map(({ address, current }) => [address, current])).toEqual(before.map((address) => [address, false]));

    const ps = await pair.dragon.fleet('jwoltje', ['ps']);
    expect([ps.exitCode, ps.stdout]).toEqual([5, '']);
    expect(ps.stderr).toMatch(/^fleet: no host-agent .*fleet up/);
    const bare = await pair.dragon.fleet('jwoltje', []);
    expect([bare.exitCode, bare.stdout]).toEqual([5, '']);
    expect(bare.stderr).toContain('fleet up');
    expect(onDragon.hasEnded).toBe(false);

    ground.mark();
    const up = await pair.dragon.fleet('jwoltje', ['up'], { timeoutMs: 60_000 });
    expect([up.exitCode, up.stderr]).toEqual([0, expect.stringContaining('whose controller is elsewhere')]);
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await ground.whole();
  });

  test('holds no tmux server in its cgroup', async () => {
    for (const seat of [ground.jarvis, ground.dragon]) {
      const { host, user } = seat;
      const cgroup = await host.mustSsh(user, 'systemctl --user show -P ControlGroup fleet-host-agent');
      const listed = await host.asRoot(`cat /sys/fs/cgroup${cgroup.trim()}/cgroup.procs`);
      const held = new Set(listed.trim().split('\n').map(Number));
      expect(held).toContain(await daemonPid(seat, 'host-agent'));
      expect(host.workload().filter(({ pid }) => held.has(pid))).toEqual([]);
    }
  });
});
