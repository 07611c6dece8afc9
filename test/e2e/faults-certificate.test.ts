/** Short-lived certificates: renewed under a live stream, and by themselves after a time off that outlasted them. */
import { describe, expect, test } from 'vitest';
import { faultGround, untilLogged } from '../helpers/fault-ground.ts';
import { untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, hostAgentOf, see } from '../helpers/fleet-seen.ts';
import { startCoder } from '../helpers/mosaic.ts';
import { until } from '../helpers/until.ts';

/** A third of it is left when it is renewed: a loaded machine needs some of that. */
const LIFETIME_SECONDS = 9;
const ground = faultGround({ certificateLifetimeSeconds: LIFETIME_SECONDS });

/** Resolves when so many lifetimes have gone by since `sinceMs`, a moment of `performance.now()`. */
const lifetimesLater = async (count: number, sinceMs: number): Promise<void> => {
  const end = sinceMs + count * LIFETIME_SECONDS * 1_000;
  await until(() => performance.now() > end, { timeoutMs: (count + 1) * LIFETIME_SECONDS * 1_000 });
};

const leftOf = async (host: string): Promise<number> =>
  hostAgentOf(await see(ground.jarvis), host).certificate_expires_in_seconds ?? Number.NaN;

describe('a certificate of a few seconds', () => {
  test('is renewed again and again, and no stream is dropped for it', async () => {
    const { onJarvis, onDragon } = ground;
    ground.mark();
    let last = await leftOf('dragon-lin');
    expect(last).toBeLessThanOrEqual(LIFETIME_SECONDS);
    let renewals = 0;
    await until(
      async () => {
        const left = await leftOf('dragon-lin');
        if (left > last) renewals++;
        last = left;
        return renewals === 3;
      },
      { timeoutMs: 5 * LIFETIME_SECONDS * 1_000 },
    );
    ground.unharmed();
    for (const feed of [onJarvis, onDragon]) {
      expect([...feed.words('dragon-lin'), ...feed.words('W-jarvis')]).toEqual([]);
    }
  });

  test('that ran out three times over while its host was off is renewed when it is on again', async () => {
    const { pair, jarvis, onJarvis } = ground;
    ground.mark();
    await pair.dragon.pullCord();
    const offMs = performance.now();
    await onJarvis.until('dragon-lin', 'lost certificate_expired', 3 * LIFETIME_SECONDS * 1_000);
    await lifetimesLater(3, offMs);
    expect(agentsOf(await see(jarvis), 'dragon-lin').map(({ agent, current }) => [agent, current])).toEqual([
      ['coder0-0', false],
    ]);
    await pair.dragon.bootAgain();
    await onJarvis.until('dragon-lin', 'connected', 60_000);
    await untilLogged(pair.dragon, 'jwoltje', 'host-agent', /"expired":true.*certificate renewed/);
    await startCoder(pair.dragon);
    await untilWhole(pair);
  });

  test('that ran out three times over while the controller was off is renewed when it is on again', async () => {
    const { pair, onJarvis } = ground;
    ground.mark();
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user stop fleet-controller');
    const offMs = performance.now();
    await onJarvis.until('dragon-lin', 'lost controller_unreachable', 20_000);
    await lifetimesLater(3, offMs);
    ground.unharmed();
    await pair.jarvis.mustSsh('jarvis', 'systemctl --user start fleet-controller');
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await ground.whole();
  });
});
