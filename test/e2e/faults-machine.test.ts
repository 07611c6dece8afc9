/** A whole machine goes off without a word and comes back: the other goes on, and what boots again reports again. */
import { describe, expect, test } from 'vitest';
import { faultGround, TOLD_MS } from '../helpers/fault-ground.ts';
import { untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, see } from '../helpers/fleet-seen.ts';
import { startCoder, startMosaic } from '../helpers/mosaic.ts';
import { until } from '../helpers/until.ts';

const ground = faultGround();

describe('a pulled cord', () => {
  test('of dragon-lin leaves its rows as last seen; booted again it reports, and says itself what is gone', async () => {
    const { pair, jarvis, onJarvis } = ground;
    const here = pair.jarvis.workload();
    ground.mark();
    await pair.dragon.pullCord();
    expect(await onJarvis.until('dragon-lin', 'resuming silent', 20_000)).toBeLessThanOrEqual(TOLD_MS.resuming);
    expect(await onJarvis.until('dragon-lin', 'lost silent', 30_000)).toBeLessThanOrEqual(TOLD_MS.lost);
    expect(pair.jarvis.workload()).toEqual(here);
    expect(agentsOf(await see(jarvis), 'dragon-lin').map(({ agent }) => agent)).toEqual(['coder0-0']);
    expect(onJarvis.removals()).toEqual([]);

    await pair.dragon.bootAgain();
    await onJarvis.until('dragon-lin', 'connected', 60_000);
    // Its sessions ended with it, and now there is somebody who knows.
    await until(async () => agentsOf(await see(jarvis), 'dragon-lin').length === 0, { timeoutMs: 30_000 });
    await startCoder(pair.dragon);
    await until(async () => agentsOf(await see(jarvis), 'dragon-lin')[0]?.current, { timeoutMs: 30_000 });
    await untilWhole(pair);
    expect(pair.jarvis.workload()).toEqual(here);
    expect(onJarvis.hasEnded).toBe(false);
  });

  test('of W-jarvis, the controller’s machine, harms nothing on dragon-lin, and its cell comes back from its disk', async () => {
    const { pair, dragon, onDragon } = ground;
    const there = pair.dragon.workload();
    const before = agentsOf(await see(dragon), 'W-jarvis').map(({ address }) => address);
    ground.mark();
    await pair.jarvis.pullCord();
    expect(await onDragon.until('W-jarvis', 'lost controller_unreachable', 30_000)).toBeLessThanOrEqual(TOLD_MS.lost);
    expect(pair.dragon.workload()).toEqual(there);
    const seen = await see(dragon);
    expect(agentsOf(seen, 'dragon-lin').map(({ agent, current }) => [agent, current])).toEqual([['coder0-0', true]]);
    expect(agentsOf(seen, 'W-jarvis').map(({ address }) => address)).toEqual(before);
    const said = await pair.dragon.fleet('jwoltje', ['ps']);
    expect(said.stderr).toMatch(/^LOCAL ONLY: controller 10\.213\.7\.11:7443 unreachable \S+ \(.+\)\n/);

    await pair.jarvis.bootAgain();
    await onDragon.until('W-jarvis', 'connected', 40_000);
    await startMosaic(pair.jarvis);
    await untilWhole(pair);
    const isBack = (agent: string) => before.some((address) => address.endsWith(`/${agent}`));
    expect(isBack('canary-pi')).toBe(true);
    await until(
      async () =>
        agentsOf(await see(dragon), 'W-jarvis').filter(({ readiness }) => readiness === 'working').length >= 4,
      { timeoutMs: 20_000 },
    );
    expect(pair.dragon.workload()).toEqual(there);
    expect(onDragon.hasEnded).toBe(false);
  });
});
