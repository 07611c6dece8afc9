import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { PeerCells } from '../../helpers/peer-cells.ts';
import { rotate } from '../../helpers/rotation-steps.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
let cells: PeerCells;
beforeEach(async () => {
  cells = await PeerCells.start();
});
afterEach(() => cells?.end());

const standing = async () => (await cells.home.controller.view()).upstreamAt(0)?.peers[0];

test('what a peer grants stands beside our own, under its own cell, and is followed', async () => {
  const host = await cells.partner.host('dragon-lin');
  await cells.home.host('dragon-lin');
  expect(await cells.rows()).toBeNull();
  await cells.grant(['observe']);
  await cells.untilRows(1);
  const view = await cells.home.controller.view();
  expect([...view.hostAgentIds()].sort()).toEqual(['dragon-lin/u', 'partner/dragon-lin/u']);
  expect(view.momentOf('partner/dragon-lin/u', 0)).toMatchObject({
    current: true,
    host: { cell: 'partner', user: 'u' },
  });
  host.put(agentRow({ key: 'b', agent: 'coder0-1' }));
  await cells.untilRows(2);
  host.remove('b');
  await cells.untilRows(1);
  expect(await standing()).toMatchObject({ cell: 'partner', state: 'connected' });
  expect((await cells.partner.controller.view()).hostAgentIds()).not.toContain('home/dragon-lin/u');
});

test('a host of a peer is asked by its own cell alone: whoever names it is told its whole name, a stranger nothing', async () => {
  await cells.partner.host('dragon-lin');
  await cells.grant(['observe']);
  await cells.untilRows(1);
  const own = await cells.home.host('W-jarvis');
  const stranger = await cells.home.host('W-acme', { tenantId: 'acme' });
  const asked = (by: typeof own, host: string) =>
    failureOf(unary((done) => cells.home.as(by).diagnose({ host }, done))).then(({ details }) => details);
  for (const host of ['dragon-lin', 'partner/dragon-lin']) {
    expect(await asked(own, host)).toBe(`no host ${host}: of another cell there is partner/dragon-lin/u`);
    expect(await asked(stranger, host)).toBe(`no host ${host}: see "fleet hosts"`);
  }
});

test('rows of a peer that cannot be heard stay with their age, and it is back by itself', async () => {
  await cells.partner.host('dragon-lin');
  await cells.grant(['observe']);
  await cells.untilRows(1);
  cells.line.cut();
  await until(async () => (await cells.home.controller.link('partner/dragon-lin/u'))?.startsWith('unconfirmed'), SOON);
  expect(await cells.rows()).toEqual(['a']);
  await until(
    async () => (await cells.home.controller.link('partner/dragon-lin/u')) === 'lost controller_unreachable',
    SOON,
  );
  expect(await standing()).toMatchObject({ state: 'lost' });
  await until(async () => (await cells.peer())?.link?.breaker === 'open', SOON);
  const { link } = (await cells.peer()) ?? {};
  expect(link?.nextTryInMs).toBeGreaterThan(0);
  expect(await cells.rows()).toEqual(['a']);
  cells.line.mend();
  await until(async () => (await cells.home.controller.link('partner/dragon-lin/u')) === 'connected null', SOON);
  expect((await cells.peer())?.link).toMatchObject({ state: 'connected', breaker: 'closed' });
});

test('a frozen peer is found silent, and delays nobody', async () => {
  await cells.partner.host('dragon-lin');
  const own = await cells.home.host('W-jarvis');
  await cells.grant(['observe']);
  await cells.untilRows(1);
  cells.line.stall('toClient');
  cells.line.stall('toTarget');
  own.put(agentRow({ key: 'b', agent: 'new' }));
  await until(async () => [...(await cells.home.controller.view()).rowsOf('W-jarvis/u')].length === 2, SOON);
  await until(async () => (await standing())?.state === 'lost', SOON);
  expect(await cells.rows()).toEqual(['a']);
  cells.line.mend();
  cells.line.reset();
  await until(async () => (await standing())?.state === 'connected', SOON);
});

test('a try that hangs does not keep a silent peer from being lost', async () => {
  let aheadMs = 0;
  await cells.end();
  cells = await PeerCells.start({
    clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs },
  });
  await cells.partner.host('dragon-lin');
  await cells.grant(['observe']);
  await cells.untilRows(1);
  cells.line.halfOpen();
  await until(async () => (await standing())?.state === 'resuming', SOON);
  // It is trying: it dials, and nothing comes back for as long as silence may last.
  await until(async () => (await cells.peer())?.link?.nextTryInMs === 0, SOON);
  aheadMs = 12_000;
  await until(async () => (await standing())?.state === 'lost', { timeoutMs: 3_000 });
  expect(await cells.rows()).toEqual(['a']);
});

test('grants that are added one after the other are learnt at once, and no row is away meanwhile', async () => {
  await cells.partner.host('dragon-lin');
  await cells.grant(['observe']);
  await cells.untilRows(1);
  const stood = (await cells.peer())?.link?.ageMs ?? 0;
  const began = performance.now();
  for (const verb of ['send', 'lifecycle', 'takeover']) {
    await cells.grant([verb]);
    await until(async () => (await cells.peer())?.grantedToUs.includes(verb), SOON);
    expect(await cells.rows()).toEqual(['a']);
  }
  const passed = performance.now() - began;
  const link = (await cells.peer())?.link;
  expect(link).toMatchObject({ state: 'connected', breaker: 'closed' });
  expect(link?.ageMs).toBeGreaterThanOrEqual(stood + passed - 100);
});

test('a grant that is revoked takes its rows at once, and leaves those of another', async () => {
  const host = await cells.partner.host('dragon-lin');
  host.put(agentRow({ key: 'b', agent: 'reviewer' }));
  await cells.grant(['observe'], { agents: ['coder*'] });
  const second = await cells.grant(['observe'], { agents: ['reviewer'] });
  await cells.untilRows(2);
  await cells.revoke(second);
  await until(async () => (await cells.rows())?.join() === 'a', SOON);
  expect(await standing()).toMatchObject({ state: 'connected' });
});

test('a peer that removed us is revoked, never lost, and nothing of it is kept', async () => {
  await cells.partner.host('dragon-lin');
  await cells.grant(['send']);
  await cells.untilRows(1);
  await until(async () => (await cells.peer())?.grantedToUs.includes('send'), SOON);
  await cells.remove(cells.partner, 'home');
  await until(async () => (await cells.rows()) === null, SOON);
  await until(async () => (await standing())?.state === 'revoked', SOON);
  const link = { state: 'revoked', reason: 'by the peer' };
  expect(await cells.peer()).toMatchObject({ link, rows: 0, grantedToUs: [] });
});

test('a peer that we removed is gone from the view at once', async () => {
  await cells.partner.host('dragon-lin');
  await cells.grant(['observe']);
  await cells.untilRows(1);
  await cells.remove(cells.home, 'partner');
  expect(await cells.rows()).toBeNull();
  expect(await standing()).toBeUndefined();
  expect(await cells.peer()).toMatchObject({ state: 'revoked', rows: 0 });
});

test('nothing of a peer rests on disk: after a restart its rows are there only once it told them anew', async () => {
  await cells.partner.host('dragon-lin');
  await cells.grant(['observe']);
  await cells.untilRows(1);
  cells.line.cut();
  await cells.home.controller.stop();
  await cells.home.controller.begin();
  expect(await cells.rows()).toBeNull();
  expect(await standing()).toMatchObject({ cell: 'partner', state: 'connecting' });
  cells.line.mend();
  await cells.untilRows(1);
});

test('what is federated exists for its audience alone', async () => {
  await cells.end();
  cells = await PeerCells.start({ tenants: ['acme'] });
  await cells.partner.host('dragon-lin');
  const [ours, others] = [await cells.home.host('W-jarvis', { tenantId: 'acme' }), await cells.home.host('W-other')];
  await cells.grant(['observe']);
  await cells.untilRows(1);
  const seen = async (client: ReturnType<typeof cells.home.as>): Promise<string[]> =>
    await new Promise((resolve, reject) => {
      const ids = new Set<string>();
      const call = client.watchAgents({ follow: false, resumeToken: '', localOnly: false, hostsOnly: false });
      call.on('data', ({ changes, bookmark }) => {
        for (const { id } of changes?.hostAgents ?? []) ids.add(id);
        for (const { cell } of bookmark?.upstream?.peers ?? []) ids.add(`peer ${cell}`);
      });
      call.on('error', reject);
      call.on('end', () => resolve([...ids].sort()));
    });
  expect(await seen(cells.home.as(ours))).toEqual(['W-jarvis/u', 'partner/dragon-lin/u', 'peer partner']);
  expect(await seen(cells.home.as(others))).toEqual(['W-other/u']);
});

test('authorities of both cells change, and no row is ever without its peer', async () => {
  await cells.partner.host('dragon-lin');
  await cells.grant(['observe']);
  await cells.untilRows(1);
  const lost: string[] = [];
  const watch = setInterval(() => {
    standing().then(
      (told) => told?.state !== 'connected' && lost.push(told?.state ?? 'none'),
      () => undefined,
    );
  }, 100);
  using _watch = { [Symbol.dispose]: () => clearInterval(watch) };
  const known = async (by: typeof cells.home) => (await cells.peer(by))?.fingerprints ?? [];
  for (const [changing, other] of [
    [cells.partner, cells.home],
    [cells.home, cells.partner],
  ] as const) {
    const [old] = await known(other);
    await rotate(changing.controller, 'begin');
    await until(async () => (await known(other)).length === 2, { timeoutMs: 100_000 });
    await rotate(changing.controller, 'switch', true);
    await rotate(changing.controller, 'finish', true);
    await until(async () => !(await known(other)).includes(old as string), { timeoutMs: 100_000 });
  }
  expect(await cells.rows()).toEqual(['a']);
  expect(await standing()).toMatchObject({ state: 'connected' });
  expect(lost).toEqual([]);
});
