/** `fleet host join`: a token on stdin, no ssh; by a user beside the one of the controller. */
import { realpathSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fleetUp, PRODUCT } from '../helpers/fleet-pair.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import type { Host } from '../helpers/testbed/host.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';

let bed: Testbed;
let host: Host;
keepEvidence(() => bed);

beforeAll(async () => {
  bed = await Testbed.start();
  host = await bed.boot('W-jarvis', {
    users: [
      { name: 'jarvis', uid: 1000, linger: true },
      { name: 'maria', uid: 1001 },
    ],
  });
  await fleetUp(host, 'jarvis');
  await host.copyIn(realpathSync(PRODUCT), '/home/maria/unpacked', 'maria');
});
afterAll(() => bed?.stop());

test('the same token once more, from who used it, changes nothing and says so', async () => {
  const { stdout: input } = await host.fleet('jarvis', ['token', 'W-jarvis', '--user', 'maria']);
  const join = () => host.ssh('maria', '~/unpacked/bin/fleet host join', { input, timeoutMs: 60_000 });
  expect(await join()).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('ok enrol        as W-jarvis/maria'),
  });
  expect(await join()).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/ = enrol +as W-jarvis\/maria in cell home, as before\n = ready/),
  });
});

test('a token that was withdrawn is refused at once, and the identity stays', async () => {
  const { stdout: input } = await host.fleet('jarvis', ['token', 'W-jarvis', '--user', 'maria', '--replace']);
  expect((await host.fleet('jarvis', ['token', 'rm', 'W-jarvis/maria', '--yes'])).exitCode).toBe(0);
  const refused = await host.ssh('maria', '~/unpacked/bin/fleet host join', { input, timeoutMs: 60_000 });
  expect(refused).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('not enrolled: ') });
  expect(await host.fleet('maria', ['whoami'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/controller .* connected/),
  });
});
