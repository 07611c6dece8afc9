/** A person on another machine, without a host-agent of theirs: invited, logged in, looking and typing by role, revoked. */
import { realpathSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { PRODUCT } from '../helpers/fleet-pair.ts';
import { HostLookalike } from '../helpers/host-lookalike.ts';
import { until } from '../helpers/until.ts';

const MARIA = { name: 'maria', uid: 1001 };
const ground = fleetGround({ dragon: { users: [{ name: 'jwoltje', uid: 1000 }, MARIA] } });
const AGENT = 'W-jarvis/partner';
let partner: HostLookalike;

const admin = (...words: string[]) => ground.jarvis.host.fleet('jarvis', words, { timeoutMs: 60_000 });
const maria = (...words: string[]) => ground.dragon.host.fleet('maria', words, { timeoutMs: 90_000 });
const login = async (name: string, ...words: string[]) => {
  const invited = await admin('operator', 'invite', name, ...words);
  expect(invited.exitCode, invited.stderr).toBe(0);
  const command = `~/.local/bin/fleet login - --context ${name}`;
  return await ground.dragon.host.ssh('maria', command, { input: invited.stdout, timeoutMs: 60_000 });
};

beforeAll(async () => {
  const { host } = ground.dragon;
  await host.copyIn(realpathSync(PRODUCT), '/home/maria/fleet', 'maria');
  await host.mustSsh('maria', 'mkdir -p ~/.local/bin && ln -s ~/fleet/bin/fleet ~/.local/bin/fleet');
  partner = await HostLookalike.start(ground.jarvis, 'partner', 'pi');
});

test('an invited operator is known by a certificate whose key was made there', async () => {
  const ran = await login('maria', '--role', 'operator');
  expect(ran.exitCode, ran.stderr).toBe(0);
  expect(ran.stdout).toMatch(/you +maria \(operator, proved as operator\)/);
  const mode = await ground.dragon.host.mustSsh('maria', 'stat -c %a ~/.config/fleet/contexts/maria/key.pem');
  expect(mode.trim()).toBe('600');
  expect(JSON.parse((await admin('operator', 'ls', '-o', 'json')).stdout).operators).toMatchObject([
    { name: 'maria', role: 'operator', tenants: ['default'], takeover: false, state: 'active' },
  ]);
});

test('it sees every machine of its tenant, a screen, and may type; only what it was let in for', async () => {
  const seen = await until(
    async () => {
      const { stdout } = await maria('ps', '-o', 'name');
      return ['home/W-jarvis/jarvis/partner', 'home/dragon-lin/jwoltje/coder0-0'].every((name) =>
        stdout.includes(name),
      );
    },
    { timeoutMs: 60_000 },
  );
  expect(seen).toBe(true);
  expect(await maria('watch', AGENT, '--once')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('pi') });
  const sent = await maria('send', AGENT, 'from elsewhere', '-o', 'json');
  expect(sent.exitCode, sent.stderr).toBe(0);
  expect(await partner.messages()).toEqual(['[maria:operator -> W-jarvis:partner] from elsewhere']);
  expect(await maria('operator', 'ls')).toMatchObject({ exitCode: 6 });
  expect(await maria('up', '--context', 'maria')).toMatchObject({ exitCode: 2 });
});

test('a viewer looks and does not type', async () => {
  const ran = await login('guest');
  expect(ran.exitCode, ran.stderr).toBe(0);
  expect(await maria('--context', 'guest', 'watch', AGENT, '--once')).toMatchObject({ exitCode: 0 });
  const before = await partner.messages();
  expect(await maria('--context', 'guest', 'send', AGENT, 'not me')).toMatchObject({ exitCode: 6 });
  expect(await partner.messages()).toEqual(before);
  const { records } = JSON.parse((await admin('audit', '-o', 'json')).stdout);
  expect(records).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        actor: 'spiffe://home/operator/guest',
        verb: 'SendText',
        outcome: 'denied',
      }),
    ]),
  );
});

test('a controller that is cut off is 5, with where it was looked for, and no rows of before', async () => {
  await ground.jarvis.host.cutCable();
  try {
    // The kernel dials on for two minutes where nobody ends it.
    const ran = await ground.dragon.host.fleet('maria', ['ps'], { timeoutMs: 45_000 });
    expect(ran).toMatchObject({ exitCode: 5, stdout: '' });
    expect(ran.stderr).toMatch(/controller of context maria unreachable: \S+:\d+: no answer within [\d.]+ s/);
  } finally {
    await ground.jarvis.host.mendCable();
  }
});

test('revoked while it watches: the view ends and says so, and nothing more is let in', async () => {
  const watching = maria('watch', AGENT, '-o', 'ndjson');
  await until(
    async () => {
      const { agents } = JSON.parse((await admin('ps', '-o', 'json')).stdout);
      return agents.some(
        ({ agent, watchers }: { agent: string; watchers: number }) => agent === 'partner' && watchers > 0,
      );
    },
    { timeoutMs: 60_000 },
  );
  expect(await admin('operator', 'revoke', 'maria', '--yes')).toMatchObject({ exitCode: 0 });
  const { exitCode, stderr } = await watching;
  expect(exitCode).toBe(6);
  expect(stderr).toContain('revoked');
  expect(await maria('ps')).toMatchObject({ exitCode: 6, stdout: '', stderr: expect.stringContaining('revoked') });
});
