import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireSoleOwnership } from '../../../controller/store/sole-owner.ts';
import { toStoreError } from '../../../controller/store/sqlite-errors.ts';
import { bytes, StoreGround } from '../../helpers/store-ground.ts';
import { until } from '../../helpers/until.ts';

const root = new URL('../../../', import.meta.url).pathname;

describe('a store in trouble', () => {
  let ground: StoreGround;
  beforeEach(() => {
    ground = new StoreGround();
  });
  afterEach(() => ground.remove());

  it('keeps everything that was acknowledged when its writer is killed at any moment', async () => {
    const script = `
      import { SqliteStore } from '${root}controller/store/sqlite-store.ts';
      const store = new SqliteStore(${JSON.stringify(ground.path)});
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
    ground.reopen();
    const [left, right] = [await ground.keys('left/'), await ground.keys('right/')];
    expect(left.length).toBeGreaterThanOrEqual(acknowledged);
    expect(right.map((key) => key.slice(6))).toEqual(left.map((key) => key.slice(5)));
  });

  it('refuses a damaged file, says what to do, and leaves it as it is', async () => {
    await ground.store.commit({
      put: Array.from({ length: 200 }, (_, n) => ({ key: `k${n}`, value: Buffer.alloc(500, n) })),
    });
    ground.close();
    const whole = readFileSync(ground.path);
    for (const damage of [
      Buffer.from('this is no database at all, only some text'),
      Buffer.concat([whole.subarray(0, 8_192), Buffer.alloc(whole.length - 8_192, 0xee)]),
    ]) {
      writeFileSync(ground.path, damage);
      expect(() => ground.reopen()).toThrow(
        expect.objectContaining({ code: 'DATA_LOSS', message: expect.stringMatching(/restore/) }),
      );
      expect(readFileSync(ground.path).equals(damage)).toBe(true);
    }
  });

  it('refuses a file of a newer version', () => {
    const db = new DatabaseSync(ground.path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => ground.reopen()).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
  });

  it('says when there is no room, loses nothing, and goes on when there is', async () => {
    await ground.store.commit({ put: [{ key: 'a', value: bytes('1') }] });
    ground.close();
    const script = `
      import { SqliteStore } from '${root}controller/store/sqlite-store.ts';
      const store = new SqliteStore(${JSON.stringify(ground.path)});
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
    ground.reopen();
    expect(await ground.keys('big')).toHaveLength(Number(count));
    expect(await ground.store.commit({ put: [{ key: 'b', value: bytes('1') }] })).not.toBeNull();
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
    const lock = join(ground.folder, 'controller.lock');
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
});
