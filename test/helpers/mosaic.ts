/**
 * The two machines that exist already (the first users' fleets), set up on hosts of the bed as they stand: W-jarvis with
 * its roster, units and stubs, dragon-lin with one session in no roster. Nothing of the product is on them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './testbed/host.ts';
import type { HostOptions } from './testbed/host-options.ts';
import type { Testbed } from './testbed/testbed.ts';
import { until } from './until.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');

export const MOSAIC_AGENTS = ['canary-pi', 'dogfood-coder', 'dogfood-orchestrator', 'dogfood-reviewer'] as const;

export interface MosaicOptions {
  /** Seconds between heartbeats; the fleet's own is 15. */
  heartbeatIntervalSeconds?: number;
  jarvis?: Partial<HostOptions>;
  dragon?: Partial<HostOptions>;
}

export interface MosaicPair {
  /** W-jarvis; user jarvis, uid 1000, linger on. */
  jarvis: Host;
  /** dragon-lin; user jwoltje, uid 1000, no linger. jarvis may log in as jwoltje, not the other way round. */
  dragon: Host;
}

/** Boots both machines with their fleets running and every agent's first heartbeat written. */
export const bootMosaicPair = async (bed: Testbed, options: MosaicOptions = {}): Promise<MosaicPair> => {
  const jarvis = await bed.boot('W-jarvis', {
    users: [{ name: 'jarvis', uid: 1000, linger: true }],
    ...options.jarvis,
  });
  const dragon = await bed.boot('dragon-lin', {
    users: [{ name: 'jwoltje', uid: 1000 }],
    node: true,
    ...options.dragon,
  });
  await bed.trust(jarvis, 'jarvis', dragon, 'jwoltje');
  await installMosaic(jarvis, options.heartbeatIntervalSeconds ?? 15);
  await startMosaic(jarvis);
  await jarvis.mustSsh('jarvis', 'tmux -u new-session -d -s notes -x 100 -y 30');
  await startCoder(dragon);
  return { jarvis, dragon };
};

/** Puts jarvis' roster, environment, stub and units in place; starts nothing. */
const installMosaic = async (host: Host, intervalSeconds: number): Promise<void> => {
  await host.copyIn(join(FIXTURES, 'mosaic/w-jarvis'), '/home/jarvis', 'jarvis');
  const interval = `s/^MOSAIC_HEARTBEAT_INTERVAL=.*/MOSAIC_HEARTBEAT_INTERVAL=${intervalSeconds}/`;
  await host.mustSsh('jarvis', `sed -i '${interval}' ~/.config/mosaic/fleet/agents/*.env`);
  await host.mustSsh('jarvis', 'systemctl --user daemon-reload');
};

/** Starts holder and agents, as at first and after each boot: their units are disabled. */
export const startMosaic = async (host: Host): Promise<void> => {
  const units = ['mosaic-tmux-holder.service', ...MOSAIC_AGENTS.map((name) => `mosaic-agent@${name}.service`)];
  await host.mustSsh('jarvis', `rm -f ~/.config/mosaic/fleet/run/*; systemctl --user start ${units.join(' ')}`);
  const beats = MOSAIC_AGENTS.map((name) => `test -s ~/.config/mosaic/fleet/run/${name}.hb`).join(' && ');
  await until(async () => (await host.ssh('jarvis', beats)).exitCode === 0, { timeoutMs: 60_000 });
};

/** Session coder0-0 in group coder0 on the default socket, running node. Also after each boot. */
export const startCoder = async (host: Host): Promise<void> => {
  const program = readFileSync(join(FIXTURES, 'scripted-agent.ts'));
  await host.writeFile('/home/jwoltje/coder/agent.ts', program, { owner: 'jwoltje' });
  // A session that joins a group takes no command, so its first pane is given one.
  const start = 'tmux -u new-session -d -t coder0 -s coder0-0 -x 120 -y 40';
  const program0 = 'tmux respawn-pane -k -c ~/coder -t =coder0-0: node ~/coder/agent.ts';
  await host.mustSsh('jwoltje', `${start} && ${program0}`);
};
