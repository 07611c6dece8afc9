import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Epochs } from '../../../controller/store/epochs.ts';
import { LastKnown, type LastKnownItem } from '../../../controller/store/last-known.ts';
import { Mirror } from '../../../controller/store/mirror.ts';
import { FleetError } from '../../../src/domain/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { bytes, StoreGround } from '../../helpers/store-ground.ts';
import { until } from '../../helpers/until.ts';

describe('what is kept in the store', () => {
  let ground: StoreGround;
  beforeEach(() => {
    ground = new StoreGround();
  });
  afterEach(() => ground.remove());

  it('mirrors a prefix: what memory says is what is stored', async () => {
    const mirror = new Mirror<{ n: number }>(ground.store, 'm/');
    await ground.store.commit({ put: [mirror.writing('old', { n: 1 })] });
    await mirror.start();
    expect(mirror.get('old')).toEqual({ n: 1 });
    await ground.store.commit({ expect: [mirror.expectation('new')], put: [mirror.writing('new', { n: 2 })] });
    expect(await ground.store.commit({ expect: [{ ...mirror.expectation('new'), revision: 0n }], put: [] })).toBeNull();
    await ground.store.commit({ remove: [mirror.keyOf('old')] });
    expect([...mirror.entries()]).toEqual([['new', { n: 2 }]]);
    await ground.store.commit({ put: [{ key: 'm/bad', value: bytes('{') }] }).catch(() => undefined);
    await expect(new Mirror(ground.store, 'm/').start()).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('numbers streams upwards for ever, also after a restart, a clock set back, and an old backup', async () => {
    const clock = new MovedClock();
    const first = await Epochs.open(ground.store, clock.nowMs());
    const numbers = [first.next(), first.next()];
    ground.close();
    copyFileSync(ground.path, join(ground.folder, 'backup'));
    ground.reopen();
    clock.advance(-3_600_000);
    numbers.push(
      (await Epochs.open(ground.store, clock.nowMs())).next(),
      (await Epochs.open(ground.store, clock.nowMs())).next(),
    );
    ground.close();
    copyFileSync(join(ground.folder, 'backup'), ground.path);
    ground.reopen();
    clock.advance(2 * 3_600_000);
    numbers.push((await Epochs.open(ground.store, clock.nowMs())).next());
    expect(numbers).toEqual([...numbers].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(numbers).size).toBe(5);
    expect(numbers.every((number) => number < 1n << 64n)).toBe(true);
  });

  describe('last-known rows', () => {
    const load = async (rows: LastKnown): Promise<LastKnownItem[]> => {
      const items: LastKnownItem[] = [];
      for await (const item of rows.load()) items.push(item);
      return items;
    };

    it('come back as they were last, host-agents first, whatever the key of a row holds', async () => {
      const rows = new LastKnown(ground.store, silentLogger(), { commitKeys: 2 });
      rows.putRow('h/u', '/tmp/tmux-1000/default:1:$0', bytes('old'));
      rows.putRow('h/u', '/tmp/tmux-1000/default:1:$0', bytes('new'));
      rows.putRow('h/u', 'gone', bytes('x'));
      rows.putRow('h2/u', 'other', bytes('y'));
      rows.removeRow('h/u', 'gone');
      rows.putHostAgent('h/u', bytes('facts'));
      await rows.stop();
      ground.reopen();
      const again = new LastKnown(ground.store, silentLogger());
      const texts = (await load(again)).map((item) => ({ ...item, bytes: Buffer.from(item.bytes).toString() }));
      expect(texts).toEqual([
        { type: 'host-agent', hostAgent: 'h/u', bytes: 'facts' },
        { type: 'row', hostAgent: 'h/u', key: '/tmp/tmux-1000/default:1:$0', bytes: 'new' },
        { type: 'row', hostAgent: 'h2/u', key: 'other', bytes: 'y' },
      ]);
      again.putRow('h/u', 'late', bytes('z'));
      await again.forget('h/u');
      expect((await load(again)).map(({ hostAgent }) => hostAgent)).toEqual(['h2/u']);
    });

    it('are written when they differ from what rests there, and after they were removed', async () => {
      const before = new LastKnown(ground.store, silentLogger());
      before.putRow('h/u', 'a', bytes('same'));
      before.putRow('h/u', 'b', bytes('old'));
      await before.stop();
      const rows = new LastKnown(ground.store, silentLogger());
      await load(rows);
      const written: string[] = [];
      using _watch = ground.store.watch('row/', (changes) => written.push(...changes.map(({ key }) => key)));
      const report = async (): Promise<string[]> => {
        rows.putRow('h/u', 'a', bytes('same'));
        rows.putRow('h/u', 'b', bytes('new'));
        await rows.stop();
        return written.splice(0);
      };
      expect(await report()).toEqual(['row/h/u/b']);
      expect(await report()).toEqual([]);
      await rows.forget('h/u');
      written.splice(0);
      expect(await report()).toEqual(['row/h/u/a', 'row/h/u/b']);
    });

    it('that the store always refuses are set aside and counted, and hold up no others', async () => {
      const commit = ground.store.commit.bind(ground.store);
      let tries = 0;
      ground.store.commit = (change, durability) => {
        const isBad = change.put?.some(({ key, value }) => key.endsWith('/bad') && value.length === 1) === true;
        if (isBad) tries += 1;
        return isBad ? Promise.reject(new FleetError('INTERNAL', 'malformed page')) : commit(change, durability);
      };
      const rows = new LastKnown(ground.store, silentLogger(), { intervalMs: 10 });
      const stored = async () => (await load(rows)).map((item) => (item.type === 'row' ? item.key : ''));
      rows.putRow('h/u', 'bad', bytes('older'));
      await rows.stop();
      for (const key of ['a', 'bad', 'z']) rows.putRow('h/u', key, bytes('x'));
      rows.start();
      await until(async () => (await stored()).includes('z'), { timeoutMs: 10_000 });
      expect([await stored(), rows.refused]).toEqual([['a', 'bad', 'z'], 1]);
      const before = tries;
      rows.putRow('h/u', 'later', bytes('x'));
      await until(async () => (await stored()).includes('later'), { timeoutMs: 10_000 });
      expect(tries).toBe(before);
      // A newer one is tried again, and an older one is no answer for it.
      rows.putRow('h/u', 'bad', bytes('newer'));
      await rows.stop();
      expect([rows.refused, tries]).toEqual([0, before]);
    });

    it('wait in a bounded queue while the store refuses, and the oldest is let go and counted', async () => {
      const commit = ground.store.commit.bind(ground.store);
      ground.store.commit = () => Promise.reject(new Error('no room'));
      const rows = new LastKnown(ground.store, silentLogger(), { maxPendingBytes: 1_000, intervalMs: 10 });
      rows.start();
      for (let n = 0; n < 20; n++) rows.putRow('h/u', `k${n}`, Buffer.alloc(100));
      ground.store.commit = commit;
      await rows.stop();
      const kept = (await load(rows)).map((item) => (item.type === 'row' ? item.key : ''));
      expect(kept).toContain('k19');
      expect(kept).not.toContain('k0');
      expect(kept.length).toBeLessThan(10);
    });
  });
});
