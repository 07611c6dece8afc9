/** Machines whose clocks are an hour wrong: they enrol and stay connected, their ages are right, the skew is told. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bootFleetPair, untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, hostAgentOf, linkWords, see } from '../helpers/fleet-seen.ts';
import { type MosaicPair, startCoder } from '../helpers/mosaic.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { until } from '../helpers/until.ts';

const HOUR_MS = 3_600_000;

let bed: Testbed;

keepEvidence(() => bed);

beforeEach(async () => {
  bed = await Testbed.start();
});

afterEach(async () => {
  await bed?.stop();
});

/** A session that was started by the wrong clock, as on a machine that never had another. */
const wrongBy =
  (offsetMs: number) =>
  async ({ dragon }: MosaicPair) => {
    await dragon.mustSsh('jwoltje', 'tmux kill-server');
    await dragon.moveClock(offsetMs);
    await startCoder(dragon);
  };

describe('the clock of dragon-lin', () => {
  test.each([
    ['ahead', HOUR_MS],
    ['behind', -HOUR_MS],
  ])('an hour %s hinders no enrolment and changes no age', async (_, offsetMs) => {
    const beganMs = performance.now();
    const pair = await bootFleetPair(bed, { dragon: { ownClock: true }, beforeHostAdd: wrongBy(offsetMs) });
    const workload = pair.dragon.workload();
    expect(workload.map(({ kind }) => kind)).toEqual(['tmux server', 'pane']);
    for (const seat of [
      { host: pair.jarvis, user: 'jarvis' },
      { host: pair.dragon, user: 'jwoltje' },
    ]) {
      const seen = await see(seat);
      const [row] = agentsOf(seen, 'dragon-lin');
      const sinceBoot = (performance.now() - beganMs) / 1_000 + 2;
      expect([linkWords(hostAgentOf(seen, 'dragon-lin')), row?.current]).toEqual(['connected', true]);
      expect(row?.uptime_seconds).toBeGreaterThan(0);
      expect(row?.uptime_seconds).toBeLessThan(sinceBoot);
      expect(row?.idle_seconds).toBeLessThan(sinceBoot);
      expect(row?.observed_age_seconds).toBeLessThan(6);
      for (const agent of agentsOf(seen, 'W-jarvis')) expect(agent.uptime_seconds).toBeLessThan(sinceBoot);
    }
    const told = hostAgentOf(await see({ host: pair.jarvis, user: 'jarvis' }), 'dragon-lin');
    expect(Math.abs((told.clock_skew_seconds ?? 0) - offsetMs / 1_000)).toBeLessThanOrEqual(2);
    const left = told.certificate_expires_in_seconds ?? 0;
    expect(Math.abs(left - 7 * 86_400)).toBeLessThan(300);
    const sign = offsetMs > 0 ? '\\+' : '-';
    const hosts = await pair.jarvis.fleet('jarvis', ['hosts']);
    expect(hosts.stdout).toMatch(new RegExp(`dragon-lin .* ${sign}(1h|60m|59m5\\ds)`));
    expect(pair.dragon.workload()).toEqual(workload);
  });
});

describe('a clock that jumps while all runs', () => {
  test('an hour forth and back on either machine disturbs no line and leaves heartbeats healthy', async () => {
    const own = { ownClock: true };
    const pair = await bootFleetPair(bed, { jarvis: own, dragon: own, heartbeatIntervalSeconds: 1 });
    const workload = [pair.jarvis.workload(), pair.dragon.workload()];
    const seat = { host: pair.jarvis, user: 'jarvis' };
    const skewTo = (seconds: number) =>
      until(
        async () => {
          const skew = hostAgentOf(await see(seat), 'dragon-lin').clock_skew_seconds;
          if (skew === null || Math.abs(skew - seconds) > 2) throw new Error(`skew is ${skew}, not ${seconds}`);
          return true;
        },
        { timeoutMs: 30_000 },
      );
    const whole = async (): Promise<void> => {
      const seen = await see(seat);
      expect(seen.hosts.flatMap((host) => host.host_agents.map(linkWords))).toEqual(['connected', 'connected']);
      expect(seen.agents.every(({ current }) => current)).toBe(true);
    };
    for (const [host, offsetMs, skewSeconds] of [
      [pair.dragon, HOUR_MS, 3_600],
      [pair.dragon, -HOUR_MS, -3_600],
      [pair.dragon, 0, 0],
      [pair.jarvis, HOUR_MS, -3_600],
      [pair.jarvis, -HOUR_MS, 3_600],
      [pair.jarvis, 0, 0],
    ] as const) {
      await host.moveClock(offsetMs);
      await skewTo(skewSeconds);
      await whole();
      await until(
        async () => {
          const agents = agentsOf(await see(seat), 'W-jarvis').filter(({ managed }) => managed);
          return agents.every(({ heartbeat }) => heartbeat.state === 'healthy' && (heartbeat.age_seconds ?? 99) < 10);
        },
        { timeoutMs: 30_000 },
      );
    }
    await untilWhole(pair);
    expect([pair.jarvis.workload(), pair.dragon.workload()]).toEqual(workload);
  });
});
