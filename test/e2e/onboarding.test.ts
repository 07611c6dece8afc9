/** The operator notes for tenants, people and peers, typed literally on fresh machines; what is carried, the test carries. */
import { realpathSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { PRODUCT } from '../helpers/fleet-pair.ts';
import { followNote, type Places } from '../helpers/operator-note.ts';
import type { Host } from '../helpers/testbed/host.ts';

const ground = fleetGround();
let spare: Host;

beforeAll(async () => {
  spare = await ground.bed.boot('spare', {
    users: [
      { name: 'ops', uid: 1000, linger: true },
      { name: 'maria', uid: 1001 },
    ],
  });
  for (const user of ['ops', 'maria']) await spare.copyIn(realpathSync(PRODUCT), `/home/${user}/unpacked`, user);
  await spare.mustSsh('maria', 'mkdir -p ~/.local/bin && ln -s ~/unpacked/bin/fleet ~/.local/bin/fleet');
  const up = '~/unpacked/bin/fleet up --cell partner --listen 0.0.0.0:7443';
  await spare.mustSsh('ops', up, { timeoutMs: 120_000 });
});

const places = (): Places => ({
  'W-jarvis': [ground.pair.jarvis, 'jarvis'],
  'dragon-lin': [ground.pair.dragon, 'jwoltje'],
  spare: [spare, 'ops'],
  maria: [spare, 'maria'],
});
const follow = (note: string, heading: string): Promise<void> => followNote(places(), note, heading);

/** Over a line that one trusts. */
const carry = async (file: string, user: string): Promise<void> => {
  const text = await ground.pair.jarvis.mustSsh('jarvis', `cat ~/${file}`);
  await spare.writeFile(`/home/${user}/${file}`, text, { owner: user });
};

describe('an operator who follows the notes', () => {
  test('onboards a tenant, and takes it out', async () => {
    await follow('tenants.md', 'Onboard a tenant');
    await follow('tenants.md', 'Take a tenant out');
  });

  test('invites a person, who logs in; revokes her', async () => {
    await follow('people.md', 'Invite a person');
    await carry('maria.invitation', 'maria');
    await follow('people.md', 'Log in');
    await follow('people.md', 'Revoke a person');
  });

  test('becomes a peer of another cell, grants it something, and ends that', async () => {
    await follow('peers.md', 'Invite');
    await carry('partner.invitation', 'ops');
    await follow('peers.md', 'Accept');
    await follow('peers.md', 'Grant');
    await follow('peers.md', 'End it');
  });

  test('has a controller beside that of another user of the machine, as the refusal says', async () => {
    const up = (...words: string[]) =>
      spare.fleet('maria', ['up', '--cell', 'marias', ...words], { timeoutMs: 120_000 });
    expect(await up()).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining('port 7443 of 127.0.0.1 is taken by another program: fleet up --port PORT'),
    });
    // What a start that failed made is taken back.
    const made = 'ls -d ~/.local/state/fleet/controller ~/.config/systemd/user/fleet-* /var/lib/systemd/linger/maria';
    expect((await spare.ssh('maria', `${made} 2>/dev/null`)).stdout).toBe('');
    expect(await up('--port', '80')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('1024 to 65535') });
    const beside = await up('--port', '7444');
    expect(beside).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('cell marias, listening on 127.0.0.1:7444'),
    });
    expect(await up('--port', '7445')).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining('keeps its port'),
    });
    expect((await spare.ssh('maria', `${made} 2>/dev/null`)).stdout.split('\n')).toContain(
      '/var/lib/systemd/linger/maria',
    );
    expect((await spare.fleet('ops', ['hosts', '-o', 'name'])).exitCode).toBe(0);
  });
});
