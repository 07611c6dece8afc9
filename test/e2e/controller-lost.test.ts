/** The operator notes, typed literally on fresh machines: a host, a new authority, a backup, and a controller that is lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fleetUp } from '../helpers/fleet-pair.ts';
import { bootMosaicPair, type MosaicPair } from '../helpers/mosaic.ts';
import { followNote, type Places } from '../helpers/operator-note.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import type { Host } from '../helpers/testbed/host.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import type { WorkloadProcess } from '../helpers/testbed/workload.ts';

let bed: Testbed;
let pair: MosaicPair;
let spare: Host;
let before: WorkloadProcess[][];
keepEvidence(() => bed);

const workloads = (): WorkloadProcess[][] => [pair.jarvis.workload(), pair.dragon.workload()];

beforeAll(async () => {
  bed = await Testbed.start();
  pair = await bootMosaicPair(bed);
  spare = await bed.boot('spare', { users: [{ name: 'ops', uid: 1000, linger: true }] });
  await bed.trust(spare, 'ops', pair.dragon, 'jwoltje');
  await bed.trust(spare, 'ops', pair.jarvis, 'jarvis');
  await fleetUp(pair.jarvis, 'jarvis');
  before = workloads();
});
afterAll(() => bed?.stop());

const places = (): Places => ({
  'W-jarvis': [pair.jarvis, 'jarvis'],
  'dragon-lin': [pair.dragon, 'jwoltje'],
  spare: [spare, 'ops'],
});
const follow = (note: string, heading: string): Promise<void> => followNote(places(), note, heading);

describe('an operator who follows the notes', () => {
  test('onboards a host', async () => {
    await follow('hosts.md', 'Onboard a host');
  });

  test('goes over to a new authority, and no session knows of it', async () => {
    await follow('rotate.md', 'Rotate');
    expect(workloads()).toEqual(before);
  });

  test('goes over to a new authority while a host is away, and brings that back by one command', async () => {
    await pair.dragon.mustSsh('jwoltje', 'systemctl --user stop fleet-host-agent');
    await follow('rotate.md', 'With a host that is away');
    expect(workloads()).toEqual(before);
  });

  test('backs the controller up, loses it, and puts it back: every host is there again by itself', async () => {
    await follow('backup.md', 'Back up');
    await pair.jarvis.mustSsh('jarvis', 'rm -r ~/.local/state/fleet/controller');
    await follow('backup.md', 'Restore');
    expect(workloads()).toEqual(before);
  });

  test('takes a host out, and brings it in again', async () => {
    await follow('hosts.md', 'Take a host out');
    await follow('hosts.md', 'Onboard a host');
    expect(workloads()).toEqual(before);
  });

  test('loses the controller without a backup, and has every host in a new cell, sessions and policies untouched', async () => {
    const policy = () => pair.dragon.mustSsh('jwoltje', 'cat ~/.config/fleet/host-policy.json');
    const held = await policy();
    const disable = 'systemctl --user disable --now fleet-controller';
    await pair.jarvis.mustSsh('jarvis', `${disable} && rm -r ~/.local/state/fleet/controller ~/home.fleet-backup`);
    await fleetUp(spare, 'ops');
    await follow('controller-lost.md', 'On a new machine');
    expect(workloads()).toEqual(before);
    expect(await policy()).toBe(held);
    const left = await pair.dragon.mustSsh('jwoltje', 'ls ~/.local/state/fleet/host-agent/left/*');
    expect(left).toMatch(/audit-heads\s+identity\.json\s+key\.pem/);
  });
});
