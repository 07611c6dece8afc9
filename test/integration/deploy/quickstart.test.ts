import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../helpers/until.ts';

const ROOT = join(import.meta.dirname, '../../..');
let home: string;

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

const run = (program: string, args: string[], options: { killAfterMs?: number } = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const { XDG_CACHE_HOME: _, TMUX: __, ...inherited } = process.env;
    const env = { ...inherited, HOME: home, FLEET_QUICKSTART: `t${process.pid}` };
    const child = execFile(program, args, { env, cwd: ROOT, timeout: 240_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? ((error.code as unknown as number) ?? -1) : 0, stdout, stderr });
    });
    if (options.killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), options.killAfterMs);
  });
const quickstart = (...args: string[]) => run(process.execPath, ['deploy/quickstart.ts', ...args]);
const fleet = (...args: string[]) =>
  run(join(ROOT, 'dist/current/bin/fleet'), [...args, '--instance', `t${process.pid}-jarvis`]);
const files = (): string[] =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'fq-'));
  writeFileSync(join(home, 'mine'), 'x');
  const built = await run(process.execPath, ['deploy/build.ts']);
  expect(built.stderr).toBe('');
});
afterAll(async () => {
  await quickstart('down');
  rmSync(home, { recursive: true, force: true });
});

test('an interrupted run is repeated, and both machines are shown', { timeout: 300_000 }, async () => {
  await run(process.execPath, ['deploy/quickstart.ts'], { killAfterMs: 900 });
  const { code, stdout, stderr } = await quickstart();
  expect(stderr).toContain('npm run quickstart -- down');
  expect(code).toBe(0);
  expect(stdout).toMatch(/W-jarvis\s+this host/);
  expect(stdout).toMatch(/canary-pi\s+codex \(not pi\).*DRIFT/);
  expect(stdout).toMatch(/dogfood-reviewer\s+claude\s+stale/);
  expect(stdout).toMatch(/dragon-lin\n\s+coder0-0\s+node.*UNMANAGED/);
  // Its screen may be read a moment after its row is there.
  expect(stdout).toMatch(/reviewer0-0\s+codex/);
  const asks = /! reviewer0-0\s+codex\s+stuck: asks for approval/;
  await until(async () => asks.test((await fleet('ps')).stdout), { timeoutMs: 60_000 });
  for (const verb of ['watch', 'send', 'next', 'attach'])
    expect(stderr).toMatch(new RegExp(`fleet ${verb} .*--instance`));
  expect(stdout).not.toContain('_holder');
});

test('an agent takes a message, and the one that asks is answered', { timeout: 300_000 }, async () => {
  expect(await fleet('send', 'dogfood-coder', 'say hello')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^accepted/),
  });
  const next = JSON.parse((await fleet('next', '-o', 'json')).stdout);
  expect(next.agent.address).toContain('dragon-lin/');
  const answer = ['answer', next.agent.address, '1', '--prompt', next.prompt.id];
  expect(await fleet(...answer)).toMatchObject({ code: 0 });
  expect(await fleet(...answer)).toMatchObject({ code: 8 });
  await until(async () => JSON.parse((await fleet('next', '-o', 'json')).stdout).agent === null, { timeoutMs: 60_000 });
});

test('a second run changes nothing and shows the same', { timeout: 300_000 }, async () => {
  const { code, stderr } = await quickstart();
  expect(code).toBe(0);
  expect(stderr).not.toMatch(/^ok /m);
});

test('down leaves the home as it was', { timeout: 300_000 }, async () => {
  expect((await quickstart('down')).code).toBe(0);
  expect(files()).toEqual([join(home, 'mine')]);
  expect((await quickstart('down')).code).toBe(0);
});
