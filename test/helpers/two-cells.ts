/**
 * Two organisations: cell `home` on the first users' two machines, and cell `acme` on a third one, each with a controller of
 * its own, peers of each other. On acme-1 run a look-alike `builder`, and `secret`, which is granted to nobody.
 */
import { bootFleetPair, fleetUp } from './fleet-pair.ts';
import type { Seat } from './fleet-seen.ts';
import { HostLookalike } from './host-lookalike.ts';
import type { MosaicPair } from './mosaic.ts';
import { quote } from './testbed/run-command.ts';
import type { Testbed } from './testbed/testbed.ts';

export interface TwoCells {
  pair: MosaicPair;
  jarvis: Seat;
  dragon: Seat;
  ada: Seat;
  builder: HostLookalike;
}

export const bootTwoCells = async (bed: Testbed): Promise<TwoCells> => {
  const pair = await bootFleetPair(bed);
  const host = await bed.boot('acme-1', { users: [{ name: 'ada', uid: 1000, linger: true }] });
  const ada = { host, user: 'ada' };
  await host.mustSsh('ada', 'tmux -u new-session -d -s secret -x 100 -y 30');
  await fleetUp(host, 'ada', ['--cell', 'acme', '--listen', '0.0.0.0:7443']);
  const builder = await HostLookalike.start(ada, 'builder', 'claude');
  const jarvis = { host: pair.jarvis, user: 'jarvis' };
  const invitation = (await must(ada, 'peer', 'invite', 'home')).trim();
  await jarvis.host.mustSsh('jarvis', `printf %s ${quote(invitation)} | ~/.local/bin/fleet peer accept -`);
  return { pair, jarvis, dragon: { host: pair.dragon, user: 'jwoltje' }, ada, builder };
};

/** Stdout of a `fleet` command that must end well. */
export const must = async ({ host, user }: Seat, ...words: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await host.fleet(user, words, { timeoutMs: 60_000 });
  if (exitCode === 0) return stdout;
  throw new Error(`fleet ${words.join(' ')} as ${user}@${host.name}: exit ${exitCode}: ${stderr}${stdout}`);
};
