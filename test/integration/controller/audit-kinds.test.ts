import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog, type AuditOptions } from '../../../controller/audit/audit-log.ts';
import { auditKey, decodeRecord, encodeRecord, seal } from '../../../controller/audit/audit-record.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { StoreGround } from '../../helpers/store-ground.ts';

const entry = { actor: 'local', verb: 'v', outcome: 'done', reason: '' } as const;
const MISSING = /^records before it are missing/;

describe('reads and changes in one audit', () => {
  let ground: StoreGround;
  let audit: AuditLog;
  const open = async (options: AuditOptions = {}): Promise<void> => {
    audit = new AuditLog(ground.store, new MovedClock(), silentLogger(), { flushIntervalMs: 10_000, ...options });
    await audit.start();
  };
  const changes = async (...targets: string[]): Promise<void> => {
    for (const target of targets) await audit.record({ ...entry, target });
  };
  const reads = async (...targets: string[]): Promise<void> => {
    for (const target of targets) {
      audit.note({ ...entry, target });
      await audit.flush();
    }
  };
  const many = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}${n}`);
  const kept = async (): Promise<string[]> => (await audit.after(0, 1_000)).map(({ target }) => target);

  beforeEach(() => {
    ground = new StoreGround();
  });
  afterEach(async () => {
    await audit.stop();
    ground.remove();
  });

  it('neither push the other out: each kind goes above its own bound, over restarts too, and the chain holds', async () => {
    const keep = { change: 4, read: 3 };
    await open({ keep });
    await changes('c0');
    await reads(...many('r', 10));
    await changes('c1');
    audit.conclude({ ...entry, target: 'c1 done' });
    await reads(...many('s', 10));
    expect(await kept()).toEqual(['c0', 'c1', 'c1 done', 's7', 's8', 's9']);
    expect(await audit.verify()).toMatchObject({ records: 6, firstSequence: 1, broken: null });
    await audit.stop();
    ground.reopen();
    await open({ keep });
    await changes(...many('d', 9));
    await reads('t');
    expect(await kept()).toEqual(['s8', 's9', 'd5', 'd6', 'd7', 'd8', 't']);
    expect(await audit.verify()).toMatchObject({ records: 7, broken: null });
  });

  it('have what came of a change kept when more reads wait than may', async () => {
    await open({ maxQueuedReads: 2 });
    for (const target of many('r', 5)) audit.note({ ...entry, target });
    audit.conclude({ ...entry, target: 'c done' });
    await audit.flush();
    expect(await kept()).toEqual(['r0', 'r1', 'c done', 'reads']);
    expect(audit.dropped).toBe(3);
  });

  describe('where the reads between changes are gone', () => {
    const sequenceOf = async (target: string): Promise<number> => {
      const record = (await audit.after(0, 1_000)).find((each) => each.target === target);
      return record?.sequence ?? 0;
    };
    const broken = async () => (await audit.verify()).broken;

    beforeEach(async () => {
      await open({ keep: { change: 100, read: 2 } });
      await changes('c0', 'c1');
      await reads(...many('r', 5));
      await changes('c2');
      await reads(...many('s', 5));
    });

    it('show a change that was cut out, written anew, or put among the reads', async () => {
      const key = auditKey('change', await sequenceOf('c2'));
      const value = (await ground.store.get(key))?.value ?? new Uint8Array();
      expect(await broken()).toBeNull();
      await ground.store.commit({ remove: [key] });
      expect((await broken())?.why).toMatch(MISSING);
      const miscounted = encodeRecord({ ...decodeRecord(value), changes: 2 });
      await ground.store.commit({ put: [{ key, value: miscounted }] });
      expect((await broken())?.why).toBe('it was altered');
      const { hash: _, ...open } = { ...decodeRecord(value), target: 'forged' };
      await ground.store.commit({ put: [{ key, value: encodeRecord({ ...open, hash: seal(open) }) }] });
      expect((await broken())?.why).toBe('it was not written after the one before it');
      const among = auditKey('read', open.sequence);
      await ground.store.commit({ remove: [key], put: [{ key: among, value }] });
      expect((await broken())?.why).toMatch(MISSING);
      await ground.store.commit({ remove: [among], put: [{ key, value }] });
      expect(await broken()).toBeNull();
    });

    it('show a read that was cut out of those that are kept, and that none is left', async () => {
      const key = auditKey('read', await sequenceOf('s3'));
      const last = auditKey('read', await sequenceOf('s4'));
      await changes('c3');
      await ground.store.commit({ remove: [last] });
      expect((await broken())?.why).toMatch(MISSING);
      await ground.store.commit({ remove: [key] });
      expect((await broken())?.why).toMatch(MISSING);
    });

    it('have a head of a change proven, and a chain written anew found whatever is said to be gone of it', async () => {
      const head = { ...audit.lastChange, heardMs: 1 };
      expect(head.sequence).toBe(await sequenceOf('c2'));
      expect(await audit.verify([head])).toMatchObject({ headsFound: 1, rewritten: null });
      await audit.stop();
      for (const prefix of ['audit/', 'audit-read/']) await ground.store.commit({ remove: await ground.keys(prefix) });
      await open({ keep: { change: 100, read: 2 } });
      await changes('x0');
      await reads(...many('x', 20));
      expect(await kept()).toEqual(['x0', 'x18', 'x19']);
      expect(await audit.verify([head])).toMatchObject({ broken: null, headsFound: 0, rewritten: { sequence: 8 } });
      await changes('x1');
      expect(await audit.verify([head])).toMatchObject({ broken: null, headsFound: 0, rewritten: { sequence: 8 } });
    });

    it('tell from where on nobody missed anything', async () => {
      expect(await audit.floor()).toBe((await sequenceOf('s3')) - 1);
      await reads('t');
      expect(await audit.floor()).toBe((await sequenceOf('s4')) - 1);
    });
  });
});
