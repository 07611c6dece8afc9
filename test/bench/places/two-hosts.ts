/**
 * The first users' two machines as real hosts: systemd, sshd, tmux, the product installed by `fleet up` and `fleet host
 * add`. Needs root and what the e2e lane needs; without it the place says why and nothing is measured there.
 */
import { bootFleetPair } from '../../helpers/fleet-pair.ts';
import type { MosaicPair } from '../../helpers/mosaic.ts';
import { whyNoTestbed } from '../../helpers/testbed/missing.ts';
import { Testbed } from '../../helpers/testbed/testbed.ts';
import type { Bench } from '../harness/bench.ts';

export interface TwoHosts extends AsyncDisposable {
  /** null: not on this machine, for the reason in `why`. */
  pair: MosaicPair | null;
  why: string;
}

export const twoHosts = async (bench: Bench): Promise<TwoHosts> => {
  const why = whyNoTestbed();
  if (why !== null) return { pair: null, why: `no real hosts on this machine: ${why}`, [Symbol.asyncDispose]: nothing };
  bench.say('booting two hosts (the first time on a machine this builds their root, for about a minute)');
  await using stack = new AsyncDisposableStack();
  const bed = stack.use(await Testbed.start());
  const pair = await bootFleetPair(bed);
  const all = stack.move();
  return { pair, why: '', [Symbol.asyncDispose]: () => all.disposeAsync() };
};

const nothing = async (): Promise<void> => {};
