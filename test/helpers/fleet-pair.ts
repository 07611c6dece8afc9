/**
 * The first users' two machines with the product on them: built, brought to W-jarvis, started there by `fleet up`, and
 * put on dragon-lin by `fleet host add`, all as the tenants. Both sides show one whole picture when it resolves.
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { bootMosaicPair, type MosaicOptions, type MosaicPair } from './mosaic.ts';
import type { Host } from './testbed/host.ts';
import type { Testbed } from './testbed/testbed.ts';
import { until } from './until.ts';

export interface FleetPairOptions extends MosaicOptions {
  /** More words for `fleet host add`, as `--link ssh`. */
  hostAdd?: readonly string[];
  /** Of the certificates that the controller issues; its own default is 7 days. */
  certificateLifetimeSeconds?: number;
  /** Last touch before `fleet host add`; both machines are up, the fleet only on W-jarvis. */
  beforeHostAdd?: (pair: MosaicPair) => Promise<void>;
}

/** What `npm run build` made; FLEET_TEST_PRODUCT names another build of it. */
export const PRODUCT = process.env.FLEET_TEST_PRODUCT ?? join(import.meta.dirname, '../../dist/current');

/** Puts what ships on a machine and starts it there as `user`. */
export const fleetUp = async (host: Host, user: string, words: readonly string[] = []): Promise<void> => {
  const folder = `/home/${user}/unpacked`;
  await host.copyIn(realpathSync(PRODUCT), folder, user);
  await host.mustSsh(user, ['~/unpacked/bin/fleet up', ...words].join(' '), { timeoutMs: 240_000 });
  // Nothing may run from where it was unpacked.
  await host.mustSsh(user, 'rm -r ~/unpacked');
};

export const bootFleetPair = async (bed: Testbed, options: FleetPairOptions = {}): Promise<MosaicPair> => {
  const pair = await bootMosaicPair(bed, options);
  if (options.certificateLifetimeSeconds !== undefined) {
    const setting = `FLEET_CERTIFICATE_LIFETIME="${options.certificateLifetimeSeconds}"\n`;
    await pair.jarvis.writeFile('/home/jarvis/.config/fleet/fleet-controller.env', setting, { owner: 'jarvis' });
  }
  await fleetUp(pair.jarvis, 'jarvis');
  await options.beforeHostAdd?.(pair);
  await addDragon(pair, options.hostAdd);
  await untilWhole(pair);
  return pair;
};

/** `fleet host add jwoltje@dragon-lin` from W-jarvis; gives what it printed. */
export const addDragon = async ({ jarvis }: MosaicPair, words: readonly string[] = []): Promise<string> => {
  const added = await jarvis.fleet('jarvis', ['host', 'add', 'jwoltje@dragon-lin', ...words], { timeoutMs: 240_000 });
  if (added.exitCode !== 0) throw new Error(`host add: exit ${added.exitCode}: ${added.stderr}${added.stdout}`);
  return added.stderr + added.stdout;
};

/** Until either side says that every host-agent of the cell is connected and its rows are current. */
export const untilWhole = async ({ jarvis, dragon }: MosaicPair, timeoutMs = 120_000): Promise<void> => {
  for (const [host, user] of [[jarvis, 'jarvis'] as const, [dragon, 'jwoltje'] as const]) {
    await until(
      async () => {
        const { stdout, stderr } = await host.fleet(user, ['ps', '-o', 'json']);
        if (stdout === '') throw new Error(stderr);
        const { complete, hosts } = JSON.parse(stdout) as { complete: boolean; hosts: unknown[] };
        if (!complete || hosts.length < 2) throw new Error(`on ${host.name}: ${stdout.slice(0, 1_200)}`);
        return true;
      },
      { timeoutMs },
    );
  }
};
