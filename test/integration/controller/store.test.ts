import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../../../controller/store/store.ts';
import { bytes, StoreGround } from '../../helpers/store-ground.ts';

describe('the store', () => {
  let ground: StoreGround;
  beforeEach(() => {
    ground = new StoreGround();
  });
  afterEach(() => ground.remove());

  it('keeps what was put, and is readable by its owner only', async () => {
    await ground.store.commit({ put: [{ key: 'a', value: bytes('1') }] });
    ground.reopen();
    expect(Buffer.from((await ground.store.get('a'))?.value ?? []).toString()).toBe('1');
    expect(await ground.store.get('b')).toBeNull();
    for (const file of ['controller.db', 'controller.db-wal']) {
      expect(statSync(join(ground.folder, file)).mode & 0o777, file).toBe(0o600);
    }
  });

  it('lists below a prefix, in order, in pages, both ways, and nothing beside it', async () => {
    const names = ['a', 'a/', 'a/1', 'a/2', 'a/10', 'a/\u{10fffe}', 'a/é', 'a0', 'b'];
    await ground.store.commit({ put: names.map((key) => ({ key, value: bytes(key) })) });
    expect(await ground.keys('a/')).toEqual(['a/', 'a/1', 'a/10', 'a/2', 'a/é', 'a/\u{10fffe}']);
    const newest = await ground.store.list('a/', { limit: 2, reverse: true });
    expect(newest.map(({ key }) => key)).toEqual(['a/\u{10fffe}', 'a/é']);
    const older = await ground.store.list('a/', { limit: 2, reverse: true, after: 'a/é' });
    expect(older.map(({ key }) => key)).toEqual(['a/2', 'a/10']);
  });

  it('writes everything or nothing, and only onto what it expected', async () => {
    const first = await ground.store.commit({
      expect: [{ key: 'a', revision: 0n }],
      put: [{ key: 'a', value: bytes('1') }],
    });
    expect(first).toBe(1n);
    const put = [
      { key: 'a', value: bytes('2') },
      { key: 'b', value: bytes('2') },
    ];
    expect(await ground.store.commit({ expect: [{ key: 'a', revision: 7n }], put })).toBeNull();
    expect(await ground.store.commit({ expect: [{ key: 'a', revision: 0n }], put })).toBeNull();
    expect(await ground.store.get('b')).toBeNull();
    expect(await ground.store.commit({ expect: [{ key: 'a', revision: 1n }], put, remove: ['c'] })).toBe(2n);
    expect(await ground.store.get('b')).toMatchObject({ revision: 2n });
  });

  it('writes nothing of a commit that failed in its middle, and goes on with the next', async () => {
    const bad = { key: 'b', value: {} as Uint8Array };
    await expect(ground.store.commit({ put: [{ key: 'a', value: bytes('1') }, bad] })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(await ground.store.get('a')).toBeNull();
    expect(await ground.store.commit({ put: [{ key: 'c', value: bytes('1') }] })).toBe(1n);
  });

  it('tells watchers of each commit below their prefix, after it, in order, and of no refused one', async () => {
    const heard: Change[] = [];
    const watch = ground.store.watch('a/', (changes) => heard.push(...changes));
    await ground.store.commit({ put: [{ key: 'a/1', value: bytes('x') }] });
    await ground.store.commit({ expect: [{ key: 'a/1', revision: 9n }], remove: ['a/1'] });
    await ground.store.commit({ put: [{ key: 'b/1', value: bytes('x') }], remove: ['a/1', 'a/none'] });
    watch[Symbol.dispose]();
    await ground.store.commit({ put: [{ key: 'a/2', value: bytes('x') }] });
    expect(heard).toMatchObject([
      { key: 'a/1', entry: { revision: 1n } },
      { key: 'a/1', entry: null },
    ]);
  });

  it('holds revisions beyond 2^53 exactly', async () => {
    const db = new DatabaseSync(ground.path);
    db.exec('UPDATE head SET revision = 9007199254740993');
    db.close();
    expect(await ground.store.commit({ put: [{ key: 'a', value: bytes('1') }] })).toBe(9007199254740994n);
    expect(await ground.store.get('a')).toMatchObject({ revision: 9007199254740994n });
  });
});
