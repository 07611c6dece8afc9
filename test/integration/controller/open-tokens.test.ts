import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listOpenTokens, withdrawTokens } from '../../../controller/enrollment/open-tokens.ts';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';
import { inviteOperator, listOperators, listTokens } from '../../../src/cli/client/admin-methods.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { failureOf, TestCell } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

let cell: TestCell;
beforeEach(async () => {
  cell = await (await new TestCell().start()).open();
});
afterEach(() => cell.stop());

const listed = () => listOpenTokens(cell.records, cell.clock.nowMs()).map(({ host, user }) => `${host}/${user}`);
const withdraws = (host: string, user = '') => withdrawTokens(cell.records, { host, user }, cell.clock.nowMs());

it('a token is told of until it is used, over or withdrawn, and never with its secret', async () => {
  const used = await cell.token({ host: 'used' });
  await cell.token({ host: 'late', validSeconds: 60 });
  const open = await cell.token({ host: 'open', replace: true });
  expect(listed()).toEqual(['late/jarvis', 'used/jarvis', 'open/jarvis']);
  expect(JSON.stringify(listOpenTokens(cell.records, cell.clock.nowMs()))).not.toContain(open.secret);
  await cell.enroll(used);
  cell.clock.advance(60_000);
  expect(listOpenTokens(cell.records, cell.clock.nowMs())).toEqual([
    { host: 'open', user: 'jarvis', tenantId: '', expiresMs: open.expiresMs, replace: true, createdBy: 'test' },
  ]);
  await expect(withdraws('late')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await withdraws('open');
  expect(listed()).toEqual([]);
});

it('a token that is withdrawn enrols nobody; those of others do, and whoever used one stays', async () => {
  const used = await cell.enroll(await cell.token({ host: 'a', user: 'u' }), { machineId: 'm-a' });
  const [first, second, other] = [
    await cell.token({ host: 'a', user: 'v' }),
    await cell.token({ host: 'a', user: 'v' }),
    await cell.token({ host: 'a', user: 'w' }),
  ];
  expect(await withdraws('a', 'v')).toBe(2);
  for (const token of [first, second]) {
    expect((await failureOf(cell.enroll(token, { machineId: 'm-a' }))).code).toBe(status.PERMISSION_DENIED);
  }
  await expect(withdraws('a', 'v')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await cell.enroll(other, { machineId: 'm-a' });
  expect(used.host).toBe('a');
  expect(cell.records.identities.get('spiffe://home/host/a/user/u')?.revoked).toBe(false);
});

it('those for any host are withdrawn apart from those for one', async () => {
  await cell.token({ host: '', user: '' });
  await cell.token({ host: 'a' });
  expect(await withdraws('')).toBe(1);
  expect(listed()).toEqual(['a/jarvis']);
});

it('a token that is withdrawn while it is being used enrols nobody', async () => {
  const token = await cell.token({ host: 'a' });
  cell.whileRecording('enroll', () => withdraws('a'));
  expect((await failureOf(cell.enroll(token))).code).toBe(status.ABORTED);
  expect([...cell.records.identities.entries()]).toEqual([]);
});

it('a token and an invitation that were over once are not good again by a clock that is set back', async () => {
  let aheadMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const controller = await RunningController.start({ clock });
  try {
    await controller.token('W-jarvis');
    const maria = { name: 'maria', role: 'admin', tenants: [], takeover: false, validSeconds: 60 };
    await controller.ask(inviteOperator, maria);
    const stored = new SqliteStore(join(controller.config.paths.state, 'controller/controller.db'));
    stored.start();
    expect(await stored.list('token/', { limit: 9 })).toHaveLength(2);
    aheadMs = 61_000;
    await until(async () => (await stored.list('token/', { limit: 9 })).length === 0, { timeoutMs: 10_000 });
    stored.stop();
    aheadMs = 0;
    expect((await controller.ask(listTokens, {})).tokens).toEqual([]);
    expect((await controller.ask(listOperators, {})).operators).toEqual([]);
  } finally {
    await controller.remove();
  }
});
