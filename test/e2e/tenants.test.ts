/**
 * Two tenants on one machine, one tenant on two machines under different user names: each sees its own across the fleet and
 * nothing else; between users of one machine stands the kernel; a user that is bound to another tenant moves at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { type FleetDocument, type Seat, see } from '../helpers/fleet-seen.ts';
import type { Host } from '../helpers/testbed/host.ts';
import { until } from '../helpers/until.ts';

const LONG = { timeoutMs: 150_000 };
const SOON = { timeoutMs: 60_000 };
const INTRUDER = readFileSync(join(import.meta.dirname, '../fixtures/intruder.ts'));
/** What a tenant's own files are, below its home. */
const OWN = ['.local/state/fleet', '.config/fleet'];

const USERS = [
  { name: 'jwoltje', uid: 1000 },
  { name: 'acme', uid: 1001 },
];

const ground = fleetGround({ jarvis: { node: true }, dragon: { users: USERS } });
/** Of acme: beside jwoltje on dragon-lin, and alone on a machine of their own. */
let acme: Seat;
let ada: Seat;

const fleet = (...words: string[]) => ground.jarvis.host.fleet('jarvis', words, LONG);
const mustFleet = async (...words: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await fleet(...words);
  expect([exitCode, stderr.match(/^fleet: .*/gm)], `fleet ${words.join(' ')}`).toEqual([0, null]);
  return stdout;
};

/** `host/user tenant`, and `host/user/agent tenant` of each row. */
const worldOf = ({ hosts, agents }: FleetDocument): string[] =>
  [
    ...hosts.flatMap(({ host, host_agents }) =>
      host_agents.map(({ user, tenant_id }) => `${host}/${user} ${tenant_id}`),
    ),
    ...agents.map(({ host, user, agent, tenant_id }) => `${host}/${user}/${agent} ${tenant_id}`),
  ].sort();
const untilSees = (seat: Seat, world: readonly string[]) =>
  until(async () => {
    const seen = worldOf(await see(seat));
    if (seen.join('\n') !== [...world].sort().join('\n')) throw new Error(seen.join('\n'));
    return true;
  }, SOON);

const ACME = ['dragon-lin/acme acme', 'dragon-lin/acme/acme-one acme', 'spare/ada acme', 'spare/ada/acme-two acme'];
const JARVIS = [
  'W-jarvis/jarvis default',
  ...['canary-pi', 'dogfood-coder', 'dogfood-orchestrator', 'dogfood-reviewer', 'notes'].map(
    (agent) => `W-jarvis/jarvis/${agent} default`,
  ),
];
const JWOLTJE = (tenant: string) => [`dragon-lin/jwoltje ${tenant}`, `dragon-lin/jwoltje/coder0-0 ${tenant}`];

beforeAll(async () => {
  const { bed, pair } = ground;
  const spare = await bed.boot('spare', { users: [{ name: 'ada', uid: 1000, linger: true }] });
  await bed.trust(pair.jarvis, 'jarvis', pair.dragon, 'acme');
  await bed.trust(pair.jarvis, 'jarvis', spare, 'ada');
  acme = { host: pair.dragon, user: 'acme' };
  ada = { host: spare, user: 'ada' };
  await acme.host.mustSsh('acme', 'tmux -u new-session -d -s acme-one');
  await ada.host.mustSsh('ada', 'tmux -u new-session -d -s acme-two');
});

describe('a tenant', () => {
  test('that was not made is refused before a machine is touched', async () => {
    const refused = await fleet('host', 'add', 'acme@dragon-lin', '--tenant', 'acme');
    expect([refused.exitCode, refused.stderr.trim().split('\n').at(-1)]).toEqual([
      4,
      'fleet: no tenant acme: "fleet tenant add acme" makes it',
    ]);
    expect((await acme.host.mustSsh('acme', 'find . -name "*fleet*"')).trim()).toBe('');
  });

  test('sees itself over two machines and under two names, and nothing of the other one on the same machine', async () => {
    await mustFleet('tenant', 'add', 'acme');
    await mustFleet('host', 'add', 'acme@dragon-lin', '--tenant', 'acme');
    await mustFleet('host', 'add', 'ada@spare', '--tenant', 'acme');
    for (const seat of [acme, ada]) await untilSees(seat, ACME);
    for (const seat of [ground.jarvis, ground.dragon]) await untilSees(seat, [...JARVIS, ...JWOLTJE('default')]);
    expect(await mustFleet('tenant', 'ls')).toMatch(/^acme +dragon-lin\/acme spare\/ada$/m);
  });

  test('is told of the others neither by name nor by count, error or completion', async () => {
    for (const seat of [acme, ada]) {
      const ask = (...words: string[]) => seat.host.fleet(seat.user, words);
      for (const words of [
        ['ps'],
        ['hosts'],
        ['doctor', '--all'],
        ['events', '--since', '8h'],
        ['__complete', '--', 'watch', ''],
      ]) {
        const { stdout, stderr } = await ask(...words);
        expect(stdout + stderr, words.join(' ')).not.toMatch(/jarvis\/|jwoltje|coder0-0|dogfood|canary/);
      }
      expect((await ask('ps')).stderr).toMatch(/^2 agents, 2 current · cell home, as (acme|ada) \(operator\)$/m);
      const asked = async (agent: string): Promise<string> => {
        const { exitCode, stdout, stderr } = await ask('explain', agent);
        return `${exitCode} ${stdout}${stderr}`.replaceAll(agent, 'ASKED');
      };
      expect(await asked('dragon-lin/jwoltje/coder0-0')).toBe(await asked('dragon-lin/nobody/coder0-0'));
      expect(await asked('coder0-0')).toBe(await asked('coder9-9'));
    }
    expect((await acme.host.fleet('acme', ['doctor', 'dragon-lin'])).stderr).not.toContain('ambiguous');
  });
});

/** As root sees it: everything of a user that another one of the machine may try. */
const targetsOf = async (host: Host, user: string, uid: number): Promise<string> => {
  const roots = [...OWN.map((folder) => `/home/${user}/${folder}`), `/run/user/${uid}`, `/tmp/tmux-${uid}`];
  const find = (type: string): Promise<string[]> =>
    host
      .asRoot(`find ${roots.join(' ')} -type ${type} 2>/dev/null || true`)
      .then((text) => text.split('\n').filter(Boolean));
  const pids = (await host.asRoot(`ps -u ${user} -o pid=`)).trim().split(/\s+/).map(Number);
  const [files, folders, sockets] = [await find('f'), await find('d'), await find('s')];
  for (const list of [files, sockets, pids]) expect(list.length).toBeGreaterThan(2);
  return JSON.stringify({ files, folders, sockets, pids });
};

const intrude = async (host: Host, user: string, targets: string): Promise<string[]> => {
  const home = `/home/${user}/intruder.ts`;
  await host.writeFile(home, INTRUDER, { owner: user });
  const run = `cd /tmp && exec runuser -u ${user} -- /usr/local/bin/node ${home}`;
  return (await host.asRoot(run, { input: targets })).split('\n').filter(Boolean);
};

describe('between users of one machine', () => {
  test('no file, socket or process of a tenant is open to another one, in either direction', async () => {
    const { dragon } = ground.pair;
    const before = dragon.workload();
    expect(await intrude(dragon, 'acme', await targetsOf(dragon, 'jwoltje', 1000))).toEqual([]);
    expect(await intrude(dragon, 'jwoltje', await targetsOf(dragon, 'acme', 1001))).toEqual([]);
    expect(dragon.workload()).toEqual(before);
    // It would have told what it got.
    const own = { files: [], folders: ['/tmp/tmux-1001'], sockets: ['/tmp/tmux-1001/default'], pids: [] };
    expect(await intrude(dragon, 'acme', JSON.stringify(own))).toEqual([
      'list /tmp/tmux-1001',
      'write in /tmp/tmux-1001',
      'connect /tmp/tmux-1001/default',
    ]);
  });

  test('nor is anything of the controller: its store, its keys, its socket, its process', async () => {
    const { jarvis } = ground.pair;
    await jarvis.asRoot('useradd -m -s /bin/bash -u 1001 eve');
    const targets = await targetsOf(jarvis, 'jarvis', 1000);
    expect(targets).toContain('controller/controller.db"');
    expect(targets).toMatch(/controller\.sock"/);
    expect(await intrude(jarvis, 'eve', targets)).toEqual([]);
  });
});

describe('a user that is bound to another tenant', () => {
  test('moves at once on both sides, and knows whose it is also when it is alone', async () => {
    const { jarvis, dragon, pair } = ground;
    const before = pair.dragon.workload();
    expect(await mustFleet('tenant', 'bind', 'acme', 'jwoltje@dragon-lin')).toBe(
      'dragon-lin/jwoltje belongs to acme now, no more to default\n',
    );
    await untilSees(jarvis, JARVIS);
    for (const seat of [acme, ada, dragon]) await untilSees(seat, [...ACME, ...JWOLTJE('acme')]);
    expect(pair.dragon.workload()).toEqual(before);
    await pair.dragon.cutCable();
    try {
      const alone = worldOf(await see(dragon)).filter((line) => line.startsWith('dragon-lin/jwoltje'));
      expect(alone).toEqual(JWOLTJE('acme'));
      const local = await dragon.host.fleet('jwoltje', ['ps', '--local', '-o', 'json']);
      expect(worldOf(JSON.parse(local.stdout))).toEqual(JWOLTJE('acme'));
    } finally {
      await pair.dragon.mendCable();
    }
    await mustFleet('tenant', 'unbind', 'dragon-lin/jwoltje');
    for (const seat of [jarvis, dragon]) await untilSees(seat, [...JARVIS, ...JWOLTJE('default')]);
    await untilSees(ada, ACME);
  });
});

describe('a host in quarantine', () => {
  test('reports on, asks nothing and is told to do nothing, until it is let out', async () => {
    const { jarvis, dragon } = ground;
    await mustFleet('host', 'quarantine', 'dragon-lin', '--user', 'jwoltje');
    await until(async () => /^ {2}dragon-lin .* quarantined .* in quarantine/m.test(await mustFleet('hosts')), SOON);
    const sent = await fleet('send', 'dragon-lin/coder0-0', 'hello');
    expect([sent.exitCode, sent.stdout + sent.stderr]).toEqual([8, expect.stringContaining('is in quarantine')]);
    const alone = await until(async () => {
      const asked = await dragon.host.fleet('jwoltje', ['ps']);
      return asked.stderr.startsWith('LOCAL ONLY') && asked;
    }, SOON);
    expect(alone.stderr).toMatch(/^LOCAL ONLY: controller \S+ refuses this host .*dragon-lin is in quarantine/);
    expect(alone.stdout).toContain('coder0-0');
    expect(alone.stdout).not.toContain('W-jarvis');
    const asked = await dragon.host.fleet('jwoltje', ['events', '--since', '8h']);
    expect([asked.exitCode, asked.stderr]).toEqual([8, expect.stringContaining('it may report and ask nothing')]);
    await untilSees(jarvis, [...JARVIS, ...JWOLTJE('default')]);
    await mustFleet('host', 'quarantine', 'dragon-lin', '--user', 'jwoltje', '--lift');
    for (const seat of [jarvis, dragon]) await untilSees(seat, [...JARVIS, ...JWOLTJE('default')]);
  });
});
