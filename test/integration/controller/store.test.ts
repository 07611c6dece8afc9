import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../../controller/audit/audit-log.ts';
import { Epochs } from '../../../controller/store/epochs.ts';
import { LastKnown, type LastKnownItem } from '../../../controller/store/last-known.ts';
import { Mirror } from '../../../controller/store/mirror.ts';
import { acquireSoleOwnership } from '../../../controller/store/sole-owner.ts';
import { toStoreError } from '../../../controller/store/sqlite-errors.ts';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';
import { type Change, scan } from '../../../controller/store/store.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { until } from '../../helpers/until.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const root = new URL('../../../', import.meta.url).pathname;

describe('the store', () => {
  let folder: string;
  let path: string;
  let store: SqliteStore;
  const opened: SqliteStore[] = [];

  const reopen = (): SqliteStore => {
    for (const old of opened.splice(0)) old.stop();
    const next = new SqliteStore(path);
    next.start();
    opened.push(next);
    return next;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fleet-store-'));
    path = join(folder, 'controller.db');
    store = reopen();
  });
  afterEach(() => {
    for (const old of opened.splice(0)) old.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const keys = async (prefix: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of scan(store, prefix, 3)) found.push(key);
    return found;
  };

  it('keeps what was put, and is readable by its owner only', async () => {
    await store.commit({ put: [{ key: 'a', value: bytes('1') }] });
    store = reopen();
    expect(Buffer.from((await store.get('a'))?.value ?? []).toString()).toBe('1');
    expect(await store.get('b')).toBeNull();
    for (const file of ['controller.db', 'controller.db-wal']) {
      expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600);
    }
  });

  it('lists below a prefix, in order, in pages, both ways, and nothing beside it', async () => {
    const names = ['a', 'a/', 'a/1', 'a/2', 'a/10', 'a/\u{10fffe}', 'a/é', 'a0', 'b'];
    await store.commit({ put: names.map((key) => ({ key, value: bytes(key) })) });
    expect(await keys('a/')).toEqual(['a/', 'a/1', 'a/10', 'a/2', 'a/é', 'a/\u{10fffe}']);
    const newest = await store.list('a/', { limit: 2, reverse: true });
    expect(newest.map(({ key }) => key)).toEqual(['a/\u{10fffe}', 'a/é']);
    const older = await store.list('a/', { limit: 2, reverse: true, after: 'a/é' });
    expect(older.map(({ key }) => key)).toEqual(['a/2', 'a/10']);
  });

  it('writes everything or nothing, and only onto what it expected', async () => {
    const first = await store.commit({ expect: [{ key: 'a', revision: 0n }], put: [{ key: 'a', value: bytes('1') }] });
    expect(first).toBe(1n);
    const put = [
      { key: 'a', value: bytes('2') },
      { key: 'b', value: bytes('2') },
    ];
    expect(await store.commit({ expect: [{ key: 'a', revision: 7n }], put })).toBeNull();
    expect(await store.commit({ expect: [{ key: 'a', revision: 0n }], put })).toBeNull();
    expect(await store.get('b')).toBeNull();
    expect(await store.commit({ expect: [{ key: 'a', revision: 1n }], put, remove: ['c'] })).toBe(2n);
    expect(await store.get('b')).toMatchObject({ revision: 2n });
  });

  it('writes nothing of a commit that failed in its middle, and goes on with the next', async () => {
    const bad = { key: 'b', value: {} as Uint8Array };
    await expect(store.commit({ put: [{ key: 'a', value: bytes('1') }, bad] })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(await store.get('a')).toBeNull();
    expect(await store.commit({ put: [{ key: 'c', value: bytes('1') }] })).toBe(1n);
  });

  it('tells watchers of each commit below their prefix, after it, in order, and of no refused one', async () => {
    const heard: Change[] = [];
    const watch = store.watch('a/', (changes) => heard.push(...changes));
    await store.commit({ put: [{ key: 'a/1', value: bytes('x') }] });
    await store.commit({ expect: [{ key: 'a/1', revision: 9n }], remove: ['a/1'] });
    await store.commit({ put: [{ key: 'b/1', value: bytes('x') }], remove: ['a/1', 'a/none'] });
    watch[Symbol.dispose]();
    await store.commit({ put: [{ key: 'a/2', value: bytes('x') }] });
    expect(heard).toMatchObject([
      { key: 'a/1', entry: { revision: 1n } },
      { key: 'a/1', entry: null },
    ]);
  });

  it('holds revisions beyond 2^53 exactly', async () => {
    const db = new DatabaseSync(path);
    db.exec('UPDATE head SET revision = 9007199254740993');
    db.close();
    expect(await store.commit({ put: [{ key: 'a', value: bytes('1') }] })).toBe(9007199254740994n);
    expect(await store.get('a')).toMatchObject({ revision: 9007199254740994n });
  });

  it('keeps everything that was acknowledged when its writer is killed at any moment', async () => {
    const script = `
      import { SqliteStore } from '${root}controller/store/sqlite-store.ts';
      const store = new SqliteStore(${JSON.stringify(path)});
      store.start();
      for (let n = 0; ; n++) {
        const pair = ['left/', 'right/'].map((side) => ({ key: side + n, value: Buffer.alloc(300, n) }));
        await store.commit({ put: pair }, n % 2 ? 'soon' : 'now');
        process.stdout.write(n + '\\n');
        await new Promise((resolve) => setImmediate(resolve));
      }`;
    const writer = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    writer.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(() => said.split('\n').length > 40, { timeoutMs: 20_000 });
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    const acknowledged = said.split('\n').slice(0, -1).length;
    store = reopen();
    const [left, right] = [await keys('left/'), await keys('right/')];
    expect(left.length).toBeGreaterThanOrEqual(acknowledged);
    expect(right.map((key) => key.slice(6))).toEqual(left.map((key) => key.slice(5)));
  });

  it('refuses a damaged file, says what to do, and leaves it as it is', async () => {
    await store.commit({ put: Array.from({ length: 200 }, (_, n) => ({ key: `k${n}`, value: Buffer.alloc(500, n) })) });
    for (const old of opened.splice(0)) old.stop();
    const whole = readFileSync(path);
    for (const damage of [
      Buffer.from('this is no database at all, only some text'),
      Buffer.concat([whole.subarray(0, 8_192), Buffer.alloc(whole.length - 8_192, 0xee)]),
    ]) {
      writeFileSync(path, damage);
      expect(() => reopen()).toThrow(
        expect.objectContaining({ code: 'DATA_LOSS', message: expect.stringMatching(/restore/) }),
      );
      expect(readFileSync(path).equals(damage)).toBe(true);
    }
  });

  it('refuses a file of a newer version', () => {
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => reopen()).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
  });

  it('says when there is no room, loses nothing, and goes on when there is', async () => {
    await store.commit({ put: [{ key: 'a', value: bytes('1') }] });
    for (const old of opened.splice(0)) old.stop();
    const script = `
      import { SqliteStore } from '${root}controller/store/sqlite-store.ts';
      const store = new SqliteStore(${JSON.stringify(path)});
      store.start();
      for (let n = 0; n < 1000; n++) await store.commit({ put: [{ key: 'big' + n, value: Buffer.alloc(20_000) }] }).catch((error) => {
        console.log(error.code + ' ' + n); process.exit(0);
      });`;
    // A limit on file size stands for the full disk: the write itself fails.
    const command = `trap '' XFSZ; ulimit -f 200; exec ${process.execPath} --input-type=module-typescript -e "$0"`;
    const writer = spawn('bash', ['-c', command, script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    writer.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(writer, 'close');
    const [code, count] = said.trim().split(' ');
    expect(['RESOURCE_EXHAUSTED', 'INTERNAL']).toContain(code);
    store = reopen();
    expect(await keys('big')).toHaveLength(Number(count));
    expect(await store.commit({ put: [{ key: 'b', value: bytes('1') }] })).not.toBeNull();
  });

  it('tells a full disk from other troubles', () => {
    const small = new DatabaseSync(':memory:');
    small.exec('PRAGMA max_page_count = 3; CREATE TABLE t (b BLOB)');
    let error: unknown;
    try {
      small.prepare('INSERT INTO t VALUES (?)').run(Buffer.alloc(100_000));
    } catch (thrown) {
      error = thrown;
    }
    small.close();
    expect(toStoreError(error, '/state/controller.db')).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      retryable: true,
      message: expect.stringMatching(/no room.*\/state\/controller\.db.*free space/),
    });
  });

  it('has one owner, who is free again when it dies', async () => {
    const lock = join(folder, 'controller.lock');
    const script = `
      import { acquireSoleOwnership } from '${root}controller/store/sole-owner.ts';
      globalThis.held = acquireSoleOwnership(${JSON.stringify(lock)}, 'a controller');
      console.log('held');
      setInterval(() => undefined, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(owner.stdout, 'data');
    expect(() => acquireSoleOwnership(lock, 'a controller')).toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS' }),
    );
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    acquireSoleOwnership(lock, 'a controller')[Symbol.dispose]();
  });

  it('mirrors a prefix: what memory says is what is stored', async () => {
    const mirror = new Mirror<{ n: number }>(store, 'm/');
    await store.commit({ put: [mirror.writing('old', { n: 1 })] });
    await mirror.start();
    expect(mirror.get('old')).toEqual({ n: 1 });
    await store.commit({ expect: [mirror.expectation('new')], put: [mirror.writing('new', { n: 2 })] });
    expect(await store.commit({ expect: [{ ...mirror.expectation('new'), revision: 0n }], put: [] })).toBeNull();
    await store.commit({ remove: [mirror.keyOf('old')] });
    expect([...mirror.entries()]).toEqual([['new', { n: 2 }]]);
    await store.commit({ put: [{ key: 'm/bad', value: bytes('{') }] }).catch(() => undefined);
    await expect(new Mirror(store, 'm/').start()).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('numbers streams upwards for ever, also after a restart, a clock set back, and an old backup', async () => {
    const clock = new MovedClock();
    const first = await Epochs.open(store, clock.nowMs());
    const numbers = [first.next(), first.next()];
    for (const old of opened.splice(0)) old.stop();
    copyFileSync(path, join(folder, 'backup'));
    store = reopen();
    clock.advance(-3_600_000);
    numbers.push((await Epochs.open(store, clock.nowMs())).next(), (await Epochs.open(store, clock.nowMs())).next());
    for (const old of opened.splice(0)) old.stop();
    copyFileSync(join(folder, 'backup'), path);
    store = reopen();
    clock.advance(2 * 3_600_000);
    numbers.push((await Epochs.open(store, clock.nowMs())).next());
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
      const rows = new LastKnown(store, silentLogger(), { commitKeys: 2 });
      rows.putRow('h/u', '/tmp/tmux-1000/default:1:$0', bytes('old'));
      rows.putRow('h/u', '/tmp/tmux-1000/default:1:$0', bytes('new'));
      rows.putRow('h/u', 'gone', bytes('x'));
      rows.putRow('h2/u', 'other', bytes('y'));
      rows.removeRow('h/u', 'gone');
      rows.putHostAgent('h/u', bytes('facts'));
      await rows.stop();
      store = reopen();
      const again = new LastKnown(store, silentLogger());
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

    it('wait in a bounded queue while the store refuses, and the oldest is let go and counted', async () => {
      const commit = store.commit.bind(store);
      store.commit = () => Promise.reject(new Error('no room'));
      const rows = new LastKnown(store, silentLogger(), { maxPendingBytes: 1_000, intervalMs: 10 });
      rows.start();
      for (let n = 0; n < 20; n++) rows.putRow('h/u', `k${n}`, Buffer.alloc(100));
      store.commit = commit;
      await rows.stop();
      const kept = (await load(rows)).map((item) => (item.type === 'row' ? item.key : ''));
      expect(kept).toContain('k19');
      expect(kept).not.toContain('k0');
      expect(kept.length).toBeLessThan(10);
    });
  });

  describe('the audit', () => {
    const entry = { actor: 'local', verb: 'remove', target: 'h', outcome: 'allowed', reason: '' } as const;
    const open = async (options = {}): Promise<AuditLog> => {
      const audit = new AuditLog(store, new MovedClock(), silentLogger(), { flushIntervalMs: 10_000, ...options });
      await audit.start();
      return audit;
    };

    it('has a change on disk when it says so: another process reads it at once', async () => {
      const audit = await open();
      await Promise.all([audit.record(entry), audit.record({ ...entry, outcome: 'denied' })]);
      const reader = new DatabaseSync(path, { readOnly: true });
      const [row] = reader.prepare("SELECT count(*) AS n FROM entry WHERE key LIKE 'audit/%'").all();
      reader.close();
      expect(row).toMatchObject({ n: 2 });
      await audit.stop();
    });

    it('is one chain over restarts, and shows any record that was altered, cut out or cut off', async () => {
      let audit = await open();
      for (let n = 0; n < 3; n++) await audit.record({ ...entry, target: `h${n}` });
      await audit.stop();
      store = reopen();
      audit = await open();
      await audit.record({ ...entry, target: 'h3' });
      const verdict = async () => {
        const { records, firstSequence, broken } = await audit.verify();
        return broken === null ? `${records} from ${firstSequence}` : `${broken.sequence}: ${broken.why}`;
      };
      expect(await verdict()).toBe('4 from 1');
      const entries = await store.list('audit/', { limit: 10 });
      const [first, second, , last] = entries.map(({ key, value }) => ({ key, value }));
      if (first === undefined || second === undefined || last === undefined) throw new Error('records missing');
      const altered = Buffer.from(second.value).toString().replace('h1', 'hX');
      await store.commit({ put: [{ key: second.key, value: bytes(altered) }] });
      expect(await verdict()).toBe('2: it was altered');
      await store.commit({ put: [{ key: second.key, value: bytes('{') }] });
      expect(await verdict()).toBe('2: it cannot be read');
      const withMore = Buffer.from(second.value).toString().replace('"target"', '"agent":"other","target"');
      await store.commit({ put: [{ key: second.key, value: bytes(withMore) }] });
      expect(await verdict()).toBe('2: it was altered');
      await store.commit({ remove: [second.key] });
      expect(await verdict()).toBe('3: records before it are missing, from 2 on');
      await store.commit({ put: [second], remove: [last.key] });
      expect(await verdict()).toBe('4: this record and those after it are missing');
      await store.commit({ put: [last], remove: [first.key] });
      expect(await verdict()).toBe('2: records before it are missing, from 1 on');
      await store.commit({ put: [first] });
      expect(await verdict()).toBe('4 from 1');
      await audit.stop();
    });

    it('finds a chain that was written anew by a head that somebody kept', async () => {
      const audit = await open();
      for (let n = 0; n < 2; n++) await audit.record({ ...entry, target: `h${n}` });
      const kept = { ...audit.head, heardMs: 1 };
      await audit.stop();
      for (const { key } of await store.list('audit/', { limit: 10 })) await store.commit({ remove: [key] });
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
      const audit = await open({ cell: 'home' });
      await audit.record(entry);
      await audit.record({ ...entry, agent: 'coder', call: 'c1', latencyMs: 1.5, bytes: 12 });
      const [newest] = await audit.list({ limit: 1 });
      expect(newest).toMatchObject({ cell: 'home', agent: 'coder', call: 'c1', latencyMs: 1.5, bytes: 12 });
      expect(await audit.verify()).toMatchObject({ records: 2, broken: null });
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
      const audit = await open({ keepRecords: 3 });
      for (let n = 0; n < 8; n++) await audit.record({ ...entry, target: `h${n}` });
      expect((await audit.list({ limit: 9 })).map(({ target }) => target)).toEqual(['h7', 'h6', 'h5']);
      expect(await audit.verify()).toMatchObject({ records: 3, firstSequence: 6, broken: null });
      await audit.stop();
    });
  });
});
