import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HeartbeatFolders } from '../../../host-agent/heartbeat/folders.ts';
import { HeartbeatSource } from '../../../host-agent/heartbeat/source.ts';
import { until } from '../../helpers/until.ts';

let home: string;
let run: string;
let stop: AbortController;
const byAgent = new Map<string, string>();

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-hb-'));
  run = join(home, 'fleet', 'run');
  stop = new AbortController();
  byAgent.clear();
});
afterEach(() => {
  stop.abort();
  rmSync(home, { recursive: true, force: true });
});

const beat = (path: string, pid: number) => {
  writeFileSync(`${path}.tmp`, `{"ts":${Date.now()},"pid":${pid},"status":"ok"}`);
  renameSync(`${path}.tmp`, path);
};

// A rescan so slow that only inotify can explain what the tests see.
const started = async (rescanMs = 3_600_000) => {
  const source = new HeartbeatSource({ folders: (): HeartbeatFolders => ({ shared: run, byAgent }), rescanMs });
  await source.start(stop.signal);
  return source;
};
const pidOf = (source: HeartbeatSource, agent: string) => source.current().byAgent.get(agent)?.pid;

test('a beat is seen when it is renamed into place, and its temporary file never', async () => {
  mkdirSync(run, { recursive: true });
  beat(join(run, 'coder.hb'), 11);
  const source = await started();
  expect([...source.current().byAgent.keys()]).toEqual(['coder']);
  expect(pidOf(source, 'coder')).toBe(11);
  let changes = 0;
  source.onChange(() => {
    changes += 1;
  });
  beat(join(run, 'coder.hb'), 12);
  await until(() => pidOf(source, 'coder') === 12, { timeoutMs: 30_000 });
  expect(changes).toBeGreaterThan(0);
  rmSync(join(run, 'coder.hb'));
  await until(() => !source.current().byAgent.has('coder'), { timeoutMs: 30_000 });
});

test('a folder that appears later, goes and comes again is followed', async () => {
  const source = await started();
  expect(source.current()).toEqual({ problem: null, byAgent: new Map() });
  mkdirSync(run, { recursive: true });
  beat(join(run, 'a.hb'), 1);
  await until(() => pidOf(source, 'a') === 1, { timeoutMs: 30_000 });
  rmSync(join(home, 'fleet'), { recursive: true });
  await until(() => source.current().byAgent.size === 0, { timeoutMs: 30_000 });
  mkdirSync(run, { recursive: true });
  beat(join(run, 'b.hb'), 2);
  await until(() => pidOf(source, 'b') === 2, { timeoutMs: 30_000 });
});

test('files that are no plain small files are told in words and never waited for', async () => {
  mkdirSync(run, { recursive: true });
  beat(join(run, 'good.hb'), 5);
  symlinkSync(join(run, 'good.hb'), join(run, 'link.hb'));
  symlinkSync(join(run, 'nowhere'), join(run, 'dangling.hb'));
  execFileSync('mkfifo', [join(run, 'fifo.hb')]);
  mkdirSync(join(run, 'folder.hb'));
  writeFileSync(join(run, 'huge.hb'), `ts=${Date.now()}\n#${'x'.repeat(1_000_000)}`);
  writeFileSync(join(run, 'binary.hb'), Buffer.from([0xff, 0xfe, 0, 1, 2]));
  const socket = createServer().listen(join(run, 'socket.hb'));
  await new Promise((resolve) => socket.once('listening', resolve));
  try {
    const { byAgent: readings, problem } = (await started()).current();
    expect(problem).toBeNull();
    expect(readings.get('good')).toMatchObject({ invalid: null, pid: 5 });
    expect(readings.get('link')?.invalid).toBe('link.hb is a symbolic link');
    expect(readings.get('dangling')?.invalid).toBe('dangling.hb is a symbolic link');
    expect(readings.get('fifo')?.invalid).toBe('fifo.hb is no regular file');
    expect(readings.get('folder')?.invalid).toBe('folder.hb is no regular file');
    expect(readings.get('socket')?.invalid).toBe('socket.hb is no regular file');
    expect(readings.get('huge')?.invalid).toBe('huge.hb is larger than 65536 bytes');
    expect(readings.get('binary')?.invalid).toBe('binary.hb is neither JSON nor key=value lines');
  } finally {
    await new Promise((resolve) => socket.close(resolve));
  }
});

test('a native marker stands beside the sidecar, with what the file beside it says', async () => {
  mkdirSync(run, { recursive: true });
  beat(join(run, 'pi.hb'), 21);
  const source = await started();
  writeFileSync(join(run, 'pi.hb.native'), '');
  const marked = await until(() => source.current().byAgent.get('pi')?.native, { timeoutMs: 30_000 });
  expect(marked).toMatchObject({ invalid: null, source: 'native', pid: 21, status: 'ok' });
  expect(Math.abs(Date.now() - marked.tsMs!)).toBeLessThan(60_000);
  beat(join(run, 'pi.hb.native'), 22);
  await until(() => source.current().byAgent.get('pi')?.native?.pid === 22, { timeoutMs: 30_000 });
  expect(pidOf(source, 'pi')).toBe(21);
});

test("an agent's own folder counts for that agent alone, from the moment it is named", async () => {
  const own = join(home, 'own');
  mkdirSync(run, { recursive: true });
  mkdirSync(own);
  beat(join(run, 'x.hb'), 1);
  beat(join(own, 'x.hb'), 2);
  beat(join(own, 'y.hb'), 3);
  const source = await started();
  expect(pidOf(source, 'x')).toBe(1);
  byAgent.set('x', own);
  await source.refresh();
  expect(pidOf(source, 'x')).toBe(2);
  expect(source.current().byAgent.has('y')).toBe(false);
  beat(join(own, 'x.hb'), 4);
  await until(() => pidOf(source, 'x') === 4, { timeoutMs: 30_000 });
});

test('a folder that is no folder is a problem in words', async () => {
  mkdirSync(join(home, 'fleet'));
  writeFileSync(run, '');
  expect((await started()).current().problem).toBe(`${run}: cannot be listed (ENOTDIR)`);
});

test('the slow rescan finds what no event told', async () => {
  const elsewhere = join(home, 'elsewhere');
  mkdirSync(join(elsewhere, 'run'), { recursive: true });
  symlinkSync(elsewhere, join(home, 'fleet'));
  const source = await started(50);
  rmSync(join(home, 'fleet'));
  const replaced = join(home, 'replaced');
  mkdirSync(join(replaced, 'run'), { recursive: true });
  beat(join(replaced, 'run', 'z.hb'), 9);
  symlinkSync(replaced, join(home, 'fleet'));
  await until(() => pidOf(source, 'z') === 9, { timeoutMs: 30_000 });
});

test('after the stop nothing is heard any more', async () => {
  mkdirSync(run, { recursive: true });
  const source = await started(20);
  let changes = 0;
  source.onChange(() => {
    changes += 1;
  });
  stop.abort();
  beat(join(run, 'late.hb'), 1);
  await source.refresh();
  expect(changes).toBe(0);
  expect(source.current().byAgent.size).toBe(0);
});
