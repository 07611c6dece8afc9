import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../../controller/audit/audit-log.ts';
import { auditKey, encodeRecord, GENESIS, seal } from '../../../controller/audit/audit-record.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { bytes, StoreGround } from '../../helpers/store-ground.ts';

describe('the chain of the audit', () => {
  let ground: StoreGround;
  beforeEach(() => {
    ground = new StoreGround();
  });
  afterEach(() => ground.remove());

  const entry = { actor: 'local', verb: 'remove', target: 'h', outcome: 'allowed', reason: '' } as const;
  const open = async (options = {}): Promise<AuditLog> => {
    const audit = new AuditLog(ground.store, new MovedClock(), silentLogger(), { flushIntervalMs: 10_000, ...options });
    await audit.start();
    return audit;
  };

  it('has a change on disk when it says so: another process reads it at once', async () => {
    const audit = await open();
    await Promise.all([audit.record(entry), audit.record({ ...entry, outcome: 'denied' })]);
    const reader = new DatabaseSync(ground.path, { readOnly: true });
    const [row] = reader.prepare("SELECT count(*) AS n FROM entry WHERE key LIKE 'audit/%'").all();
    reader.close();
    expect(row).toMatchObject({ n: 2 });
    await audit.stop();
  });

  it('is one chain over restarts, and shows any record that was altered, cut out or cut off', async () => {
    let audit = await open();
    for (let n = 0; n < 3; n++) await audit.record({ ...entry, target: `h${n}` });
    await audit.stop();
    ground.reopen();
    audit = await open();
    await audit.record({ ...entry, target: 'h3' });
    const verdict = async () => {
      const { records, firstSequence, broken } = await audit.verify();
      return broken === null ? `${records} from ${firstSequence}` : `${broken.sequence}: ${broken.why}`;
    };
    expect(await verdict()).toBe('4 from 1');
    const entries = await ground.store.list('audit/', { limit: 10 });
    const [first, second, , last] = entries.map(({ key, value }) => ({ key, value }));
    if (first === undefined || second === undefined || last === undefined) throw new Error('records missing');
    const altered = Buffer.from(second.value).toString().replace('h1', 'hX');
    await ground.store.commit({ put: [{ key: second.key, value: bytes(altered) }] });
    expect(await verdict()).toBe('2: it was altered');
    await ground.store.commit({ put: [{ key: second.key, value: bytes('{') }] });
    expect(await verdict()).toBe('2: it cannot be read');
    const withMore = Buffer.from(second.value).toString().replace('"target"', '"agent":"other","target"');
    await ground.store.commit({ put: [{ key: second.key, value: bytes(withMore) }] });
    expect(await verdict()).toBe('2: it was altered');
    await ground.store.commit({ remove: [second.key] });
    expect(await verdict()).toBe('3: records before it are missing, from 2 on');
    await ground.store.commit({ put: [second], remove: [last.key] });
    expect(await verdict()).toBe('4: this record and those after it are missing');
    await ground.store.commit({ put: [last], remove: [first.key] });
    expect(await verdict()).toBe('2: records before it are missing, from 1 on');
    await ground.store.commit({ put: [first] });
    expect(await verdict()).toBe('4 from 1');
    await audit.stop();
  });

  it('seals the id of an order too, and records that have none as before there were any', async () => {
    const audit = await open();
    await audit.record({ ...entry, call: 'c1', order: 'o1' });
    await audit.record(entry);
    const [record] = await ground.store.list('audit/', { limit: 1 });
    const altered = Buffer.from(record?.value ?? [])
      .toString()
      .replace('o1', 'o2');
    expect((await audit.verify()).broken).toBeNull();
    await ground.store.commit({ put: [{ key: record?.key ?? '', value: bytes(altered) }] });
    expect((await audit.verify()).broken).toMatchObject({ sequence: 1, why: 'it was altered' });
    const old = { previous: GENESIS, sequence: 1, atMs: 1, changes: 1, lastChange: GENESIS, ...entry };
    expect(seal(old)).toBe('6f60ddaca458e37c21170085bcabea909ee92d64735c15d26480514b59f1031f');
    await audit.stop();
  });

  it('finds a chain that was written anew by a head that somebody kept', async () => {
    const audit = await open();
    for (let n = 0; n < 2; n++) await audit.record({ ...entry, target: `h${n}` });
    const kept = { ...audit.lastChange, heardMs: 1 };
    await audit.stop();
    for (const { key } of await ground.store.list('audit/', { limit: 10 }))
      await ground.store.commit({ remove: [key] });
    const forged = await open();
    for (let n = 0; n < 3; n++) await forged.record({ ...entry, target: `x${n}` });
    expect(await forged.verify()).toMatchObject({ records: 3, broken: null, headsFound: 0 });
    expect(await forged.verify([kept])).toMatchObject({ broken: null, headsFound: 0, rewritten: audit.head });
    expect(await forged.verify([{ ...forged.head, heardMs: 1 }])).toMatchObject({
      headsFound: 1,
      rewritten: null,
    });
    const beyond = { sequence: 9, hash: kept.hash };
    const known = [{ ...beyond, heardMs: 1 }];
    expect(await forged.verify(known)).toMatchObject({ headsFound: 0, rewritten: beyond });
    await forged.stop();
  });

  it('has records of an earlier version in one chain with those of today', async () => {
    let previous = GENESIS;
    const put = [1, 2, 3].map((sequence) => {
      const details = sequence < 3 ? {} : { cell: 'home', agent: 'coder', latencyMs: 1.5 };
      const open = { ...entry, ...details, sequence, atMs: 1, previous };
      previous = seal(open);
      return { key: auditKey('change', sequence), value: encodeRecord({ ...open, hash: previous }) };
    });
    await ground.store.commit({ put });
    const audit = await open({ cell: 'home' });
    audit.note({ ...entry, verb: 'read' });
    await audit.flush();
    await audit.record({ ...entry, agent: 'coder', call: 'c1', latencyMs: 1.5, bytes: 12 });
    const [newest] = await audit.list({ limit: 1 });
    expect(newest).toMatchObject({ cell: 'home', agent: 'coder', call: 'c1', latencyMs: 1.5, bytes: 12, changes: 4 });
    const heads = [{ sequence: 3, hash: previous, heardMs: 1 }];
    expect(await audit.verify(heads)).toMatchObject({ records: 5, broken: null, headsFound: 1 });
    await audit.stop();
  });

  it('keeps up with 2,000 reads in one go, and lets the loop turn meanwhile', async () => {
    const audit = await open();
    for (let n = 0; n < 2_000; n++) audit.note({ ...entry, verb: 'read' });
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    await audit.flush();
    clearInterval(counting);
    expect([audit.dropped, audit.head.sequence]).toEqual([0, 2_000]);
    expect(turns).toBeGreaterThan(2);
    await audit.stop();
  });

  it('drops reads when too many wait, and records how many', async () => {
    const audit = await open({ maxQueuedReads: 5 });
    for (let n = 0; n < 12; n++) audit.note({ ...entry, verb: 'read' });
    await audit.flush();
    const [newest, ...others] = await audit.list({ limit: 20 });
    expect(newest).toMatchObject({ outcome: 'dropped', reason: expect.stringMatching(/^7 /) });
    expect([others.length, audit.dropped]).toEqual([5, 7]);
    await audit.stop();
  });

  it('lets the oldest go above its bound, and still verifies', async () => {
    const audit = await open({ keep: { change: 3, read: 3 } });
    for (let n = 0; n < 8; n++) await audit.record({ ...entry, target: `h${n}` });
    expect((await audit.list({ limit: 9 })).map(({ target }) => target)).toEqual(['h7', 'h6', 'h5']);
    expect(await audit.verify()).toMatchObject({ records: 3, firstSequence: 6, broken: null });
    await audit.stop();
  });
});
