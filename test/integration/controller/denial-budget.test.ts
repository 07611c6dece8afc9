import { afterEach, beforeEach, expect, it } from 'vitest';
import { AuditLog } from '../../../controller/audit/audit-log.ts';
import type { AuditEntry, AuditRecord } from '../../../controller/audit/audit-record.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { StoreGround } from '../../helpers/store-ground.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
const HOST = 'spiffe://home/host/a/user/u';
let ground: StoreGround;
let clock: MovedClock;
let audit: AuditLog;
beforeEach(async () => {
  ground = new StoreGround();
  clock = new MovedClock(Date.UTC(2026, 0, 1));
  audit = new AuditLog(ground.store, clock, silentLogger(), {
    cell: 'home',
    flushIntervalMs: 5,
    denials: { each: 3, ofVerb: 2, windowMs: 600_000 },
  });
  await audit.start();
});
afterEach(async () => {
  await audit.stop();
  ground.remove();
});

const denial = (actor = HOST, over: Partial<AuditEntry> = {}): AuditEntry => ({
  actor,
  actorTenantId: 'acme',
  verb: 'SendText',
  target: 'b/u/secret-agent',
  outcome: 'denied',
  reason: 'not theirs',
  ...over,
});
const told = async (): Promise<string[]> =>
  (await audit.list({ limit: 100 })).map(({ actor, outcome, reason }) => `${actor} ${outcome} ${reason}`).reverse();
const denies = async (count: number, actor = HOST): Promise<void> => {
  for (let each = 0; each < count; each++) await audit.record(denial(actor));
};
const LAST = 'not theirs; number 3 within 10 minutes: beyond 2 of a verb more of this caller are counted';
const summary = async (): Promise<AuditRecord> => {
  clock.advance(600_000);
  const isSummary = ({ reason }: AuditRecord): boolean => reason.startsWith('and ');
  return await until(async () => (await audit.list({ limit: 9 })).find(isSummary), SOON);
};

it('a caller who is refused again and again fills the audit with so many records and one that counts the rest', async () => {
  await denies(50);
  expect(await told()).toEqual([...Array(2).fill(`${HOST} denied not theirs`), `${HOST} denied ${LAST}`]);
  clock.advance(600_000);
  const records = await until(async () => {
    const kept = await audit.list({ limit: 9 });
    return kept.length === 4 && kept;
  }, SOON);
  expect(records[0]).toMatchObject({
    actor: HOST,
    tenantId: 'acme',
    verb: 'SendText',
    target: '',
    outcome: 'denied',
    reason: 'and 47 more refused changes of this caller since 2026-01-01T00:00:00.000Z: SendText 47',
  });
  await denies(1);
  expect((await told()).at(-1)).toBe(`${HOST} denied not theirs`);
});

it('another caller is written down all the same, and so is whatever was no refusal', async () => {
  await denies(9);
  await denies(1, 'spiffe://home/host/b/user/u');
  await audit.record(denial(HOST, { outcome: 'allowed', reason: '' }));
  expect((await told()).slice(3)).toEqual(['spiffe://home/host/b/user/u denied not theirs', `${HOST} allowed `]);
});

it('all controllers of another cell are one caller, whatever it calls them', async () => {
  for (let name = 0; name < 9; name++) await audit.record(denial(`spiffe://partner/controller/c${name}`));
  expect(await told()).toHaveLength(3);
});

it('what was counted is told when the controller stops', async () => {
  await denies(5);
  await audit.stop();
  expect((await told()).at(-1)).toContain('and 2 more refused changes');
  expect(await audit.verify()).toMatchObject({ records: 4, broken: null });
});

it('of a caller who is hardly ever refused each refusal is written, however long it goes on', async () => {
  for (let day = 0; day < 9; day++) {
    await denies(2);
    clock.advance(600_000);
  }
  expect(await told()).toHaveLength(18);
});

it('a change that was announced is told to its end, whatever came of it', async () => {
  await denies(9);
  for (const [call, outcome] of [
    ['c1', 'denied'],
    ['c2', 'failed'],
    ['c3', 'done'],
  ] as const) {
    await audit.record(denial(HOST, { call, outcome: 'allowed', reason: '' }));
    const end = denial(HOST, { call, outcome, reason: 'so it ended' });
    if (outcome === 'denied') await audit.record(end);
    else audit.conclude(end);
  }
  await audit.flush();
  expect((await told()).slice(3).map((words) => words.split(' ')[1])).toEqual([
    ...['allowed', 'denied', 'allowed', 'allowed', 'failed', 'done'],
  ]);
});

it('one that was refused before it was announced is counted like a denial, as what it was told', async () => {
  for (let each = 0; each < 9; each++) audit.conclude(denial(HOST, { call: `c${each}`, outcome: 'failed' }));
  await audit.flush();
  const last = 'not theirs; number 3 within 10 minutes: more of this caller are counted';
  expect(await told()).toEqual([...Array(2).fill(`${HOST} failed not theirs`), `${HOST} failed ${last}`]);
});

const verbs = async (): Promise<string[]> =>
  (await audit.list({ limit: 100 })).map(({ verb, outcome }) => `${verb} ${outcome}`).reverse();

it('what failed cheaply hides no denial: neither uses up the allowance of the other', async () => {
  for (let each = 0; each < 9; each++) audit.conclude(denial(HOST, { call: `c${each}`, outcome: 'failed' }));
  await audit.flush();
  for (let each = 0; each < 9; each++) await audit.record(denial(HOST, { verb: 'CreateToken' }));
  expect(await verbs()).toEqual([...Array(3).fill('SendText failed'), ...Array(3).fill('CreateToken denied')]);
});

it('the first denials of each verb are written whatever was denied before, and the counts of the rest name each verb', async () => {
  await denies(9);
  for (const verb of ['/x/CreateToken', '/x/RemoveHost']) {
    for (let each = 0; each < 4; each++) await audit.record(denial(HOST, { verb }));
  }
  expect((await verbs()).slice(3)).toEqual([
    ...Array(2).fill('/x/CreateToken denied'),
    ...Array(2).fill('/x/RemoveHost denied'),
  ]);
  expect(await summary()).toMatchObject({
    verb: 'changes',
    tenantId: 'acme',
    reason: expect.stringMatching(/^and 10 more .*Z: SendText 6, CreateToken 2, RemoveHost 2$/),
  });
});

it('the counts of a peer, who speaks for many, name no tenant', async () => {
  const actor = 'spiffe://partner/controller/c';
  for (let each = 0; each < 9; each++) await audit.record(denial(actor, { actorTenantId: `partner/t${each}` }));
  const told = await summary();
  expect(told).toMatchObject({ actor, verb: 'SendText', reason: expect.stringMatching(/SendText 6$/) });
  expect([told.tenantId, told.actorTenantId]).toEqual([undefined, undefined]);
});
