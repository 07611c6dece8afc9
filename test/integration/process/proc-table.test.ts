import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcTable } from '../../../host-agent/process/proc-table.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { until } from '../../helpers/until.ts';

let root: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fleet-proc-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await gone;
  }
  rmSync(root, { recursive: true, force: true });
});

const start = (file: string, args: string[]): number => {
  const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  children.push(child);
  return child.pid!;
};

test('a real shell and its children are one tree, root first, with what they really run', async () => {
  const pid = start('/bin/bash', ['-c', 'node -e "process.title = \'pi\'; process.stdin.resume()" "a b"; true']);
  const table = new ProcTable();
  const tree = await until(
    () => {
      const found = table.trees([pid]).get(pid)!;
      return found.processes.length === 2 && found.processes[1]!.argv[0] === 'pi' && found;
    },
    { timeoutMs: 10_000 },
  );
  const [shell, node] = tree.processes;
  expect(shell).toMatchObject({ pid, ppid: process.pid, comm: 'bash' });
  expect(shell!.argv.slice(0, 2)).toEqual(['/bin/bash', '-c']);
  expect(node).toMatchObject({ ppid: pid, argv: ['pi'], exe: process.execPath });
  expect(node!.rssBytes).toBeGreaterThan(10_000_000);
  expect(Math.abs(Date.now() - node!.startedMs)).toBeLessThan(60_000);
  expect(node!.startedMs).toBeGreaterThanOrEqual(shell!.startedMs);
  expect(table.trees([pid]).get(pid)!.processes[1]!.startedMs).toBe(node!.startedMs);
});

test('pids that are gone, foreign or no pids are left out or partly known, never an error', () => {
  const table = new ProcTable();
  const trees = table.trees([4_194_304, -1, 0, Number.NaN, 1]);
  expect([...trees.keys()]).toEqual([1]);
  expect(table.trees([])).toEqual(new Map());
  expect(table.cgroup(4_194_304)).toBeNull();
});

test('the cgroup is the one that the kernel tells about us', () => {
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  const path = new ProcTable().cgroup(process.pid);
  expect(path).not.toBeNull();
  expect(own).toContain(`:${path}\n`);
});

test('a process is alive until it ends, and a variable is what it was started with', async () => {
  const child = spawn('/bin/cat', [], { stdio: ['pipe', 'ignore', 'ignore'], env: { FLEET_X: 'a=b', FLEET_XY: 'c' } });
  children.push(child);
  const table = new ProcTable();
  const value = await until(() => table.environment(child.pid!, 'FLEET_X'), { timeoutMs: 10_000 });
  expect(value).toBe('a=b');
  expect(table.environment(child.pid!, 'FLEET')).toBeNull();
  expect(table.environment(4_194_304, 'FLEET_X')).toBeNull();
  expect(table.isAlive(child.pid!)).toBe(true);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.stdin!.end();
  await gone;
  expect(table.isAlive(child.pid!)).toBe(false);
});

test('a zombie is not alive', () => {
  plant(10, 1);
  expect(new ProcTable({ procRoot: root }).isAlive(10)).toBe(true);
  writeFileSync(join(root, '10', 'stat'), readFileSync(join(root, '10', 'stat'), 'utf8').replace(' S ', ' Z '));
  expect(new ProcTable({ procRoot: root }).isAlive(10)).toBe(false);
});

const plant = (pid: number, ppid: number, options: { children?: string; cmdline?: string } = {}): void => {
  mkdirSync(join(root, String(pid), 'task', String(pid)), { recursive: true });
  const stat = `${pid} (p${pid}) S ${ppid} ${pid} 1 0 ${pid} 0 0 0 0 0 3 4 0 0 20 0 1 0 ${pid} 0 5 0 0 0 0`;
  writeFileSync(join(root, String(pid), 'stat'), stat);
  writeFileSync(join(root, String(pid), 'cmdline'), options.cmdline ?? `p${pid}\0`);
  symlinkSync(`/bin/p${pid}`, join(root, String(pid), 'exe'));
  if (options.children !== undefined)
    writeFileSync(join(root, String(pid), 'task', String(pid), 'children'), options.children);
};
const planted = (lists: boolean) => {
  writeFileSync(join(root, 'stat'), 'btime 1000\n');
  const list = (pids: string) => (lists ? { children: pids } : {});
  plant(10, 1, list('20 30 '));
  plant(20, 10, list('40 '));
  plant(30, 10, list(''));
  plant(40, 20, list(''));
  plant(50, 1, list(''));
};

test.each([true, false])('trees are the same with the kernel listing children: %s', (lists) => {
  planted(lists);
  const trees = new ProcTable({ procRoot: root }).trees([10, 50, 99]);
  expect([...trees.keys()]).toEqual([10, 50]);
  expect(trees.get(10)!.processes.map(({ pid }) => pid)).toEqual([10, 20, 30, 40]);
  expect(trees.get(50)!.processes).toEqual([
    {
      pid: 50,
      ppid: 1,
      pgid: 50,
      tpgid: 50,
      state: 'S',
      comm: 'p50',
      exe: '/bin/p50',
      argv: ['p50'],
      startedMs: 1_000_500,
      rssBytes: 5 * 4_096,
      cpuTicks: 7,
    },
  ]);
});

test('a list of children that names its own parent, itself or the dead ends', () => {
  writeFileSync(join(root, 'stat'), 'btime 1000\n');
  plant(10, 20, { children: '20 10 77' });
  plant(20, 10, { children: '10 20' });
  const trees = new ProcTable({ procRoot: root }).trees([10]);
  expect(trees.get(10)!.processes.map(({ pid }) => pid)).toEqual([10, 20]);
});

test('an endless command line is cut', () => {
  writeFileSync(join(root, 'stat'), 'btime 1000\n');
  plant(10, 1, { children: '', cmdline: `node\0${'x'.repeat(1_000_000)}` });
  const argv = new ProcTable({ procRoot: root }).trees([10]).get(10)!.processes[0]!.argv;
  expect(argv[0]).toBe('node');
  expect(argv.join('').length).toBeLessThanOrEqual(16_384);
});

test('start times stand still while btime rounds to and fro, and follow a clock that was set', () => {
  planted(true);
  const clock = new MovedClock();
  const table = new ProcTable({ procRoot: root, clock });
  const startedMs = () => table.trees([50]).get(50)!.processes[0]!.startedMs;
  expect(startedMs()).toBe(1_000_500);
  writeFileSync(join(root, 'stat'), 'btime 1001\n');
  clock.advance(60_000);
  expect(startedMs()).toBe(1_000_500);
  writeFileSync(join(root, 'stat'), 'btime 4600\n');
  clock.advance(60_000);
  expect(startedMs()).toBe(4_600_500);
});
