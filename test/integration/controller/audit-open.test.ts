import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../../controller/audit/audit-log.ts';
import type { AuditEntry } from '../../../controller/audit/audit-record.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { StoreGround } from '../../helpers/store-ground.ts';

describe('calls that a run left open', () => {
  let ground: StoreGround;
  beforeEach(() => {
    ground = new StoreGround();
  });
  afterEach(() => ground.remove());

  const send: AuditEntry = {
    actor: 'ann',
    verb: '/x/SendText',
    target: 'a',
    outcome: 'allowed',
    reason: '',
    body: 'b',
  };
  const watch: AuditEntry = { actor: 'ann', verb: '/x/WatchTerminal', target: 'a', outcome: 'began', reason: '' };
  const begun = async (options = {}): Promise<AuditLog> => {
    const audit = new AuditLog(ground.store, new MovedClock(), silentLogger(), { flushIntervalMs: 60_000, ...options });
    await audit.start();
    await audit.closeLeft();
    return audit;
  };
  const told = async (audit: AuditLog) =>
    (await audit.list({ limit: 100 })).map(({ call, outcome, reason }) => [call, outcome, reason]).reverse();

  it('are closed by the next one, once: a stream as ended, a change as one of which nobody knows what came of it', async () => {
    const first = await begun();
    for (const call of ['c1', 'c2']) await first.record({ ...send, call });
    for (const call of ['w1', 'w2']) first.note({ ...watch, call });
    await first.flush();
    first.conclude({ ...send, call: 'c1', outcome: 'done', reason: 'accepted' });
    first.note({ ...watch, call: 'w1', outcome: 'ended' });
    await first.flush();
    ground.reopen();
    const second = await begun();
    const closed = (await told(second)).slice(6);
    expect(closed).toEqual([
      ['c2', 'ended', 'unknown: the controller ended first'],
      ['w2', 'ended', 'the controller ended first'],
    ]);
    const [, record] = await second.list({ limit: 2 });
    expect(record).toMatchObject({ actor: 'ann', verb: '/x/SendText', target: 'a', body: 'b' });
    expect((await second.verify()).broken).toBeNull();
    ground.reopen();
    expect(await told(await begun())).toHaveLength(8);
    expect(await ground.keys('audit-open/')).toEqual([]);
  });

  it('are none where each ended: with its beginning at once, denied after it was allowed, or with no room for its record', async () => {
    const audit = await begun({ maxQueuedReads: 2 });
    audit.note({ ...watch, call: 'w1' });
    audit.note({ ...watch, call: 'w1', outcome: 'ended' });
    await audit.record({ ...send, call: 'c1' });
    await audit.record({ ...send, call: 'c1', outcome: 'denied' });
    await audit.flush();
    audit.note({ ...watch, call: 'w2' });
    await audit.flush();
    expect(await ground.keys('audit-open/')).toEqual(['audit-open/w2']);
    for (const call of ['n1', 'n2']) audit.note({ ...watch, call, outcome: 'done' });
    audit.note({ ...watch, call: 'w2', outcome: 'ended' });
    await audit.flush();
    expect(await ground.keys('audit-open/')).toEqual([]);
    ground.reopen();
    expect((await told(await begun())).map(([, , reason]) => reason)).not.toContain('the controller ended first');
  });

  it('are none where an end found no room while its beginning still waited: in the next batch, or in a later one', async () => {
    const audit = await begun({ maxQueuedReads: 220 });
    for (let each = 0; each < 250; each++) audit.note({ ...watch, call: `n${each}`, outcome: 'done' });
    audit.note({ ...watch, call: 'late' });
    for (let each = 0; each < 69; each++) audit.note({ ...watch, call: `m${each}`, outcome: 'done' });
    audit.note({ ...watch, call: 'late', outcome: 'ended' });
    expect(audit.dropped).toBe(1);
    await audit.flush();
    expect(await ground.keys('audit-open/')).toEqual([]);
    const small = new AuditLog(ground.store, new MovedClock(), silentLogger(), { maxQueuedReads: 1 });
    small.note({ ...watch, call: 'w1' });
    small.note({ ...watch, call: 'w1', outcome: 'ended' });
    await small.flush();
    expect(await ground.keys('audit-open/')).toEqual([]);
  });

  it('are none for what ended while the store refused: what came of a change is written once it takes records again', async () => {
    const audit = await begun({ maxQueuedReads: 3, maxQueuedChanges: 2 });
    for (const call of ['c1', 'c2', 'c3']) await audit.record({ ...send, call });
    for (const call of ['w1', 'w2']) audit.note({ ...watch, call });
    await audit.flush();
    const before = (await told(audit)).length;
    ground.close();
    for (const call of ['c1', 'c2']) audit.conclude({ ...send, call, outcome: 'done', reason: 'accepted' });
    for (const call of ['w1', 'n1', 'n2', 'w2']) audit.note({ ...watch, call, outcome: 'ended' });
    await audit.flush();
    audit.conclude({ ...send, call: 'c3', outcome: 'done', reason: 'one too many' });
    await audit.flush();
    expect(audit.dropped).toBe(5);
    ground.store.start();
    await audit.flush();
    expect((await told(audit)).slice(before)).toEqual([
      ['c1', 'done', 'accepted'],
      ['c2', 'done', 'accepted'],
      [undefined, 'dropped', expect.stringMatching(/^5 /)],
    ]);
    expect(await ground.keys('audit-open/')).toEqual(['audit-open/c3']);
    expect((await audit.verify()).broken).toBeNull();
  });

  it('are left alone where their beginning was let go since', async () => {
    const first = await begun({ keep: { change: 1, read: 10 } });
    await first.record({ ...send, call: 'c1' });
    await first.record({ ...send, call: 'c2', outcome: 'denied' });
    ground.reopen();
    expect(await told(await begun())).toEqual([['c2', 'denied', '']]);
    expect(await ground.keys('audit-open/')).toEqual([]);
  });
});
