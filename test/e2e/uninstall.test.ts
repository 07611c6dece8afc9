/** `fleet down --uninstall`: off the machine of the controller, and off one whose controller is elsewhere, without a trace. */
import { realpathSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fleetUp, PRODUCT } from '../helpers/fleet-pair.ts';
import type { Seat } from '../helpers/fleet-seen.ts';
import { fleetProcessesOf, traceOf } from '../helpers/machine-trace.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import type { Host } from '../helpers/testbed/host.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { until } from '../helpers/until.ts';

const UNINSTALL = ['down', '--uninstall'] as const;
let bed: Testbed;
let host: Host;
let jarvis: Seat;
let maria: Seat;
/** What stood there before anything of fleet did. */
let untouched: string[][];
keepEvidence(() => bed);

const traces = async () => [await traceOf(jarvis), await traceOf(maria)];
const steps = (stderr: string) =>
  [...stderr.matchAll(/^ ?(ok|[=?!x-]) (\S+) /gm)].map(([, mark, name]) => `${mark} ${name}`);
const isGone = (seat: Seat) => until(async () => (await fleetProcessesOf(seat)).length === 0, { timeoutMs: 30_000 });

beforeAll(async () => {
  bed = await Testbed.start();
  const users = [
    { name: 'jarvis', uid: 1000 },
    { name: 'maria', uid: 1001 },
  ];
  host = await bed.boot('W-jarvis', { users });
  jarvis = { host, user: 'jarvis' };
  maria = { host, user: 'maria' };
  for (const { user } of [jarvis, maria]) await host.mustSsh(user, 'tmux -u new-session -d -s own');
  untouched = await traces();
  await fleetUp(host, 'jarvis');
  await host.copyIn(realpathSync(PRODUCT), '/home/maria/unpacked', 'maria');
  const { stdout: input } = await host.fleet('jarvis', ['token', 'W-jarvis', '--user', 'maria']);
  await host.mustSsh('maria', '~/unpacked/bin/fleet host join', { input, timeoutMs: 60_000 });
  await host.mustSsh('maria', 'rm -r ~/unpacked');
});
afterAll(() => bed?.stop());

test('is refused while others are in the cell, asks first, and with --dry-run says what it would do', async () => {
  const before = [await fleetProcessesOf(jarvis), await fleetProcessesOf(maria)];
  expect(await host.fleet('jarvis', [...UNINSTALL, '--yes'])).toMatchObject({
    exitCode: 8,
    stderr: expect.stringMatching(/in this cell are W-jarvis\/maria, .*: fleet host rm them first, or --force/),
  });
  expect(await host.fleet('jarvis', [...UNINSTALL, '--force'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/with its cell home .*leaves W-jarvis\/maria without a controller\? .*--yes/),
  });
  const dry = await host.fleet('maria', [...UNINSTALL, '--dry-run']);
  expect([dry.exitCode, steps(dry.stderr)]).toEqual([0, ['? remove']]);
  expect((await host.fleet('jarvis', ['down', '--force'])).exitCode).toBe(2);
  expect([await fleetProcessesOf(jarvis), await fleetProcessesOf(maria)]).toEqual(before);
});

test('names the logins that go with it', async () => {
  const { stdout: input } = await host.fleet('jarvis', ['operator', 'invite', 'maria', '--role', 'viewer']);
  expect((await host.ssh('maria', '~/.local/bin/fleet login - --context boss', { input })).exitCode).toBe(0);
  expect(await host.fleet('maria', [...UNINSTALL])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('remove fleet from this machine, with your logins boss?'),
  });
});

test('of a host whose controller is elsewhere: nothing is left there, and it says who has to know', async () => {
  const workload = host.workload();
  const { exitCode, stderr } = await host.fleet('maria', [...UNINSTALL, '--yes'], { timeoutMs: 60_000 });
  expect([exitCode, steps(stderr)]).toEqual([0, ['ok host-agent', '= controller', 'ok remove']]);
  expect(stderr).toContain('fleet host rm W-jarvis --forget');
  await isGone(maria);
  expect(await traceOf(maria)).toEqual(expect.arrayContaining(untouched[1] as string[]));
  expect(host.workload()).toEqual(workload);
});

test('of the controller’s own machine: nothing is left of fleet, and every session is as it was', async () => {
  const workload = host.workload();
  const { exitCode, stderr } = await host.fleet('jarvis', [...UNINSTALL, '--force', '--yes'], { timeoutMs: 60_000 });
  expect([exitCode, steps(stderr)]).toEqual([0, ['ok host-agent', 'ok controller', 'ok remove']]);
  await isGone(jarvis);
  await until(
    async () => {
      expect(await traces()).toEqual(untouched);
      return true;
    },
    { timeoutMs: 30_000 },
  );
  expect(host.workload()).toEqual(workload);
});
