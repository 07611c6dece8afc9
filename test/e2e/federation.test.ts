/** What one organisation grants to another over real machines: seen and done there as at home, and nothing beyond it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { daemonPid } from '../helpers/fault-ground.ts';
import { type FleetDocument, type Seat, see } from '../helpers/fleet-seen.ts';
import { HostPane } from '../helpers/host-pane.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { bootTwoCells, must, type TwoCells } from '../helpers/two-cells.ts';
import { until } from '../helpers/until.ts';

let bed: Testbed;
let cells: TwoCells;
keepEvidence(() => bed);
beforeAll(async () => {
  bed = await Testbed.start();
  cells = await bootTwoCells(bed);
});
afterAll(() => bed?.stop());

const BUILDER = 'acme/acme-1/ada/builder';
const SOON = { timeoutMs: 60_000 };

const granted = (seen: FleetDocument) => seen.agents.filter(({ cell }) => cell === 'acme').map(({ agent }) => agent);
const seesBuilder = (seat: Seat) =>
  until(async () => {
    const seen = await see(seat);
    const row = seen.agents.find(({ address }) => address === BUILDER);
    if (row?.current !== true) throw new Error(JSON.stringify({ row, hosts: seen.hosts }).slice(0, 2_000));
    return { seen, row };
  }, SOON);
const grant = (...words: string[]) =>
  must(cells.ada, 'grant', 'add', 'home', '--tenant', 'default', '--host', 'acme-*', '--agent', 'build*', ...words);
const fleet = ({ host, user }: Seat, ...words: string[]) => host.fleet(user, words, { timeoutMs: 60_000 });
const audited = async (seat: Seat, verb: string) => {
  const lines = (await must(seat, 'audit', '--since', '1h', '-o', 'ndjson')).trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((record) => `${record.verb}`.endsWith(verb));
};

test('a peer without a grant sees nothing, not even a host', async () => {
  const { ada, jarvis } = cells;
  await until(async () => /acme +active +connected/.test(await must(jarvis, 'peer', 'ls')), SOON);
  expect((await see(jarvis)).hosts.map(({ host }) => host)).toEqual(['W-jarvis', 'dragon-lin']);
  expect((await see(ada)).hosts.map(({ host }) => host)).toEqual(['acme-1']);
});

test('what is granted is shown in the other cell as at home, from any of its hosts; what is not exists for nobody there', async () => {
  const { ada, dragon, jarvis } = cells;
  await grant('--verb', 'observe');
  const atHome = (await see(ada)).agents.find(({ agent }) => agent === 'builder');
  for (const seat of [jarvis, dragon]) {
    const { seen, row } = await seesBuilder(seat);
    expect(granted(seen)).toEqual(['builder']);
    const { cell, host, user, agent, runtime_seen, tmux } = row;
    expect({ cell, host, user, agent, runtime_seen, pid: tmux?.pid }).toEqual({
      cell: 'acme',
      host: 'acme-1',
      user: 'ada',
      agent: 'builder',
      runtime_seen: 'claude',
      pid: atHome?.tmux?.pid,
    });
    expect(JSON.stringify(seen)).not.toContain('secret');
    const { exitCode, stdout } = await fleet(seat, 'ps');
    expect([exitCode, /acme/.test(stdout), /builder/.test(stdout)]).toEqual([0, true, true]);
  }
  // And nothing of home is shown to acme.
  expect((await see(ada)).agents.map(({ cell }) => cell)).toEqual(['acme', 'acme']);
});

test('its screen is refused until watching is granted, then it is the screen', async () => {
  const { ada, dragon } = cells;
  const refused = await fleet(dragon, 'watch', '--once', '-o', 'text', BUILDER);
  expect([refused.exitCode, refused.stdout]).toEqual([6, '']);
  await grant('--verb', 'watch');
  const pane = new HostPane(ada, 'builder', 'lookalikes');
  const shown = await until(async () => {
    const { exitCode, stdout } = await fleet(dragon, 'watch', '--once', '-o', 'text', BUILDER);
    return exitCode === 0 && stdout;
  }, SOON);
  const rows = (await pane.look()).rows.join('\n').trim();
  expect(shown.trim()).toContain(rows);
  const secret = await fleet(dragon, 'watch', '--once', '-o', 'text', 'acme/acme-1/ada/secret');
  const nothing = await fleet(dragon, 'watch', '--once', '-o', 'text', 'acme/acme-1/ada/nothing');
  expect([secret.exitCode, secret.stderr.replaceAll('secret', 'nothing')]).toEqual([4, nothing.stderr]);
});

test('a message needs a grant that expires, and the host’s own leave for callers of other cells', async () => {
  const { ada, builder, jarvis } = cells;
  const send = (id: string) => fleet(jarvis, 'send', BUILDER, 'hello from home', '--id', id, '-o', 'json');
  expect((await send('early')).stderr).toContain('fleet host allow W-jarvis send');
  const elsewhere = async () => JSON.parse(await must(jarvis, 'whoami', '-o', 'json')).elsewhere;
  expect(await elsewhere()).toEqual(['read']);
  await must(jarvis, 'host', 'allow', 'W-jarvis', 'send');
  await until(async () => (await elsewhere()).join() === 'read,send', SOON);
  // At home it may; acme has not granted it yet.
  expect((await send('ungranted')).exitCode).toBe(6);
  const endless = await fleet(
    ada,
    'grant',
    'add',
    'home',
    '--tenant',
    'default',
    '--host',
    'acme-*',
    '--agent',
    'build*',
    '--verb',
    'send',
  );
  expect([endless.exitCode, endless.stderr]).toEqual([2, expect.stringMatching(/expire/)]);
  await grant('--verb', 'send', '--expires', '7d');
  await until(async () => (await send(`policy-${Date.now()}`)).exitCode === 8, SOON);
  await must(ada, 'host', 'control', 'acme-1', '--federated', 'send');
  expect(JSON.parse((await send('granted')).stdout)).toMatchObject({ outcome: 'accepted' });
  expect(await builder.messages()).toEqual([expect.stringContaining('hello from home')]);
  // Once more under its id: typed once.
  expect(JSON.parse((await send('granted')).stdout)).toMatchObject({ outcome: 'accepted', repeated: true });
  expect(await builder.messages()).toHaveLength(1);
});

test('the audits of both sides name the operator, and the same call', async () => {
  const { ada, jarvis } = cells;
  const there = (await audited(ada, 'SendText')).filter(({ outcome }) => outcome === 'allowed');
  const here = (await audited(jarvis, 'SendText')).filter(({ outcome }) => outcome === 'allowed');
  expect(there.at(-1)).toMatchObject({
    actor: expect.stringMatching(/^spiffe:\/\/home\/controller\//),
    on_behalf_of: 'spiffe://home/host/W-jarvis/user/jarvis',
    agent: 'builder',
  });
  expect(here.at(-1)).toMatchObject({ actor: 'spiffe://home/host/W-jarvis/user/jarvis', agent: 'builder' });
});

test('a peer that is cut off keeps its rows with their age, is told as no revocation, and slows nobody', async () => {
  const { ada, jarvis } = cells;
  await ada.host.cutCable();
  try {
    await until(
      async () => {
        const row = (await see(jarvis)).agents.find(({ address }) => address === BUILDER);
        return row?.current === false && row.link.state !== 'connected';
      },
      { timeoutMs: 60_000 },
    );
    const { agents, complete } = await see(jarvis);
    expect(complete).toBe(false);
    expect(agents.filter(({ current }) => current).map(({ host }) => host)).toContain('dragon-lin');
    expect(await must(jarvis, 'peer', 'ls')).not.toMatch(/revoked/);
  } finally {
    await ada.host.mendCable();
  }
  await seesBuilder(jarvis);
});

test('a peer whose controller stands still ends no watch, and a message into it is typed once, as both audits tell', async () => {
  const { ada, builder, jarvis } = cells;
  const before = (await builder.messages()).length;
  const pid = await daemonPid(ada, 'controller');
  const watching = await jarvis.host.start('jarvis', `exec ~/.local/bin/fleet watch ${BUILDER}`);
  const frames: string[] = [];
  watching.onLine((line) => frames.push(line));
  await until(() => frames.some((line) => line.includes('"frame"')), SOON);
  const send = () => fleet(jarvis, 'send', BUILDER, 'while it stood still', '--id', 'still', '-o', 'json');
  await ada.host.freeze([pid]);
  const given = send();
  try {
    await until(
      async () => (await see(jarvis)).agents.some(({ address, current }) => address === BUILDER && !current),
      SOON,
    );
    expect(await must(jarvis, 'peer', 'ls')).not.toMatch(/revoked/);
  } finally {
    await ada.host.thaw([pid]);
  }
  expect(['accepted', 'refused']).toContain(JSON.parse((await given).stdout).outcome);
  await seesBuilder(jarvis);
  expect(JSON.parse((await send()).stdout)).toMatchObject({ outcome: 'accepted' });
  expect(await builder.messages()).toHaveLength(before + 1);
  await until(() => frames.some((line) => line.includes('while it stood still')), SOON);
  expect(watching.hasEnded).toBe(false);
  await watching.stop();
  for (const seat of [ada, jarvis]) {
    await until(async () => {
      const records = (await audited(seat, 'SendText')).filter(({ order }) => order === 'still');
      return records.at(-1)?.outcome === 'done' && records.at(-1)?.reason === 'accepted';
    }, SOON);
    await until(async () => {
      const calls = await audited(seat, 'WatchTerminal');
      const ended = new Set(calls.filter(({ outcome }) => outcome !== 'began').map(({ call }) => call));
      return calls.every(({ call }) => ended.has(call));
    }, SOON);
  }
});

test('a grant that is revoked ends what was open under it, and nothing of it is held any more', async () => {
  const { ada, jarvis } = cells;
  const watching = await jarvis.host.start('jarvis', `exec ~/.local/bin/fleet watch ${BUILDER}`);
  const frames: string[] = [];
  watching.onLine((line) => frames.push(line));
  await until(() => frames.length > 0, SOON);
  const grants = JSON.parse(await must(ada, 'grant', 'ls', '-o', 'json')) as {
    grants: { id: string; status: string }[];
  };
  for (const { id } of grants.grants) await must(ada, 'grant', 'revoke', id, '--yes');
  await until(() => watching.hasEnded, SOON);
  await until(async () => !(await fleet(jarvis, 'ps', '-o', 'json')).stdout.includes('builder'), SOON);
  expect((await fleet(jarvis, 'send', BUILDER, 'too late')).exitCode).toBe(4);
  await until(async () => /acme +active +connected/.test(await must(jarvis, 'peer', 'ls')), SOON);
});

test('a peer that is removed is gone on the other side too', async () => {
  const { ada, jarvis } = cells;
  await grant('--verb', 'observe');
  await seesBuilder(jarvis);
  await must(ada, 'peer', 'rm', 'home', '--yes');
  await until(async () => !(await fleet(jarvis, 'ps', '-o', 'json')).stdout.includes('builder'), SOON);
  await until(async () => /acme +active +revoked/.test(await must(jarvis, 'peer', 'ls')), SOON);
});
