/** How a machine joins and leaves: over real ssh, by the tenants, without touching what is theirs. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addDragon, bootFleetPair, untilWhole } from '../helpers/fleet-pair.ts';
import { see } from '../helpers/fleet-seen.ts';
import type { MosaicPair } from '../helpers/mosaic.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { until } from '../helpers/until.ts';

let bed: Testbed;
let pair: MosaicPair;
keepEvidence(() => bed);

/** Every file of the operator on W-jarvis but the heartbeats, which agents write. */
const operatorFiles = async (): Promise<string> =>
  await pair.jarvis.mustSsh(
    'jarvis',
    'cd ~/.config/mosaic && find . -type f ! -name "*.hb*" -exec sha256sum {} + | sort -k2',
  );

/** What a removal must not leave on dragon-lin. */
const leftOvers = async (): Promise<string> =>
  (
    await pair.dragon.mustSsh(
      'jwoltje',
      'find ~ -path "*fleet*" ! -path "*/.config/mosaic/*" 2>/dev/null; grep -n fleet ~/.ssh/authorized_keys; ls /run/user/1000/fleet 2>/dev/null; systemctl --user list-unit-files --no-legend "fleet-*"; true',
    )
  ).trim();

let filesBefore = '';
let before: [unknown, unknown];

beforeAll(async () => {
  bed = await Testbed.start();
  pair = await bootFleetPair(bed, {
    beforeHostAdd: async (booted) => {
      pair = booted;
      filesBefore = await operatorFiles();
      before = [booted.jarvis.workload(), booted.dragon.workload()];
      const dry = await booted.jarvis.fleet('jarvis', ['host', 'add', 'jwoltje@dragon-lin', '--dry-run'], {
        timeoutMs: 60_000,
      });
      expect(dry.exitCode).toBe(0);
      expect(dry.stderr + dry.stdout).toMatch(/would/);
      expect(await leftOvers()).toBe('');
    },
  });
});
afterAll(async () => {
  await bed?.stop();
});

test('joining harms no session and no file of the operator', async () => {
  expect([pair.jarvis.workload(), pair.dragon.workload()]).toEqual(before);
  expect(await operatorFiles()).toBe(filesBefore);
});

test('a second host add changes nothing and is done within 5 s', async () => {
  const began = performance.now();
  const printed = await addDragon(pair);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(printed).not.toMatch(/^ok /m);
  expect(printed).toMatch(/coder0-0/);
});

test('a machine that cannot be reached, and one that accepts no key, each get one line and their exit code', async () => {
  const unknown = await pair.jarvis.fleet('jarvis', ['host', 'add', 'nobody@nowhere.invalid']);
  expect(unknown.exitCode).toBe(4);
  expect(unknown.stderr).toMatch(/fleet: .*nowhere\.invalid/);
  const refused = await pair.jarvis.fleet('jarvis', ['host', 'add', 'root@dragon-lin']);
  expect(refused.exitCode).toBe(6);
  expect(refused.stderr).toMatch(/fleet: .*keys/);
});

test('both machines come back by themselves after a reboot', async () => {
  await pair.dragon.powerOff();
  await pair.dragon.bootAgain();
  await untilWhole(pair);
});

test('a host that is removed leaves nothing of ours, keeps its sessions, and can be added again', async () => {
  await pair.dragon.mustSsh('jwoltje', "tmux new-session -d -s kept 'sleep 1000'");
  const sessions = pair.dragon.workload();
  const removed = await pair.jarvis.fleet('jarvis', ['host', 'rm', 'dragon-lin', '--yes'], { timeoutMs: 60_000 });
  expect(removed.exitCode, removed.stderr).toBe(0);
  expect(await leftOvers()).toBe('');
  expect(pair.dragon.workload()).toEqual(sessions);
  await until(async () => (await see({ host: pair.jarvis, user: 'jarvis' })).hosts.length === 1, { timeoutMs: 5_000 });
  await addDragon(pair);
  await untilWhole(pair);
});

test('fleet down stops the daemons and nothing else, fleet up brings the same fleet back', async () => {
  const sessions = pair.jarvis.workload();
  const down = await pair.jarvis.fleet('jarvis', ['down'], { timeoutMs: 60_000 });
  expect(down.exitCode, down.stderr).toBe(0);
  const asked = await pair.jarvis.fleet('jarvis', ['ps']);
  expect(asked.exitCode).toBe(5);
  expect(asked.stderr).toMatch(/fleet up/);
  expect((await pair.jarvis.fleet('jarvis', ['up'], { timeoutMs: 60_000 })).exitCode).toBe(0);
  await untilWhole(pair);
  expect(pair.jarvis.workload()).toEqual(sessions);
});
