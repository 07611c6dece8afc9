/** The ground of a file of tests: the booted pair with the fleet on it, once, and the seats of its two tenants. */
import { afterAll, beforeAll } from 'vitest';
import { bootFleetPair, type FleetPairOptions } from './fleet-pair.ts';
import type { Seat } from './fleet-seen.ts';
import type { MosaicPair } from './mosaic.ts';
import { keepEvidence } from './testbed/evidence.ts';
import { Testbed } from './testbed/testbed.ts';

export interface FleetGround {
  bed: Testbed;
  pair: MosaicPair;
  jarvis: Seat;
  dragon: Seat;
}

/** Registers the hooks of a file. `boot` may stop earlier than at the whole fleet. */
export const fleetGround = (
  options: FleetPairOptions = {},
  boot: (bed: Testbed, options: FleetPairOptions) => Promise<MosaicPair> = bootFleetPair,
): FleetGround => {
  const ground = {} as FleetGround;
  keepEvidence(() => ground.bed);
  beforeAll(async () => {
    ground.bed = await Testbed.start();
    ground.pair = await boot(ground.bed, options);
    ground.jarvis = { host: ground.pair.jarvis, user: 'jarvis' };
    ground.dragon = { host: ground.pair.dragon, user: 'jwoltje' };
  });
  afterAll(() => ground.bed?.stop());
  return ground;
};
