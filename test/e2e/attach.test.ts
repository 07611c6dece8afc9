/** A person at one machine takes over an agent on the other: what is typed arrives as typed, and all is given back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, see } from '../helpers/fleet-seen.ts';
import { Desk, HostPane, untilLeft, untilSame } from '../helpers/host-pane.ts';
import { until } from '../helpers/until.ts';

const AGENT = 'dragon-lin/coder0-0';
const ATTACH = `~/.local/bin/fleet attach ${AGENT}`;
const ground = fleetGround();
let desk: Desk;
/** The agent's pane; in it a program that writes down each byte and each change of its size. */
let source: HostPane;

const onDragon = (command: string) => ground.pair.dragon.mustSsh('jwoltje', command);
const got = async (expected: string): Promise<void> => {
  const hex = Buffer.from(expected, 'utf8').toString('hex');
  await until(
    async () => {
      const typed = (await onDragon(`python3 -c 'print(open("typed", "rb").read().hex())'`)).trim();
      if (typed.length < hex.length) throw new Error(`so far ${JSON.stringify(Buffer.from(typed, 'hex').toString())}`);
      return true;
    },
    { timeoutMs: 30_000 },
  );
  const typed = await onDragon(`python3 -c 'print(open("typed", "rb").read().hex())'`);
  expect(Buffer.from(typed.trim(), 'hex').toString('utf8')).toBe(expected);
};
const attach = async (name: string, words = '', size?: { width: number; height: number }): Promise<HostPane> => {
  const pane = await desk.sit(name, `${ATTACH} ${words}`, size);
  await pane.untilShows('YOU TYPE');
  return pane;
};
const size = () => source.fact('#{window_width}x#{window_height} #{pane_width}x#{pane_height}');
const windowSize = () => onDragon(`tmux show-options -w -t =coder0-0: window-size; tmux show-options -gwv window-size`);
/** The size is given back first, and then that it follows its clients again. */
const untilGivenBack = (before: readonly string[]) =>
  until(
    async () => {
      expect([await size(), await windowSize()]).toEqual(before);
      return true;
    },
    { timeoutMs: 60_000 },
  );
const writer = async (): Promise<string | null> => {
  const rows = agentsOf(await see(ground.jarvis), 'dragon-lin');
  return rows.find(({ agent }) => agent === 'coder0-0')?.writer ?? null;
};

beforeAll(async () => {
  const recorder = readFileSync(join(import.meta.dirname, '../fixtures/pane-recorder.py'));
  await ground.pair.dragon.writeFile('/home/jwoltje/pane-recorder.py', recorder, { owner: 'jwoltje' });
  source = new HostPane(ground.dragon, 'coder0-0');
  desk = new Desk(ground.jarvis);
});
afterAll(() => desk?.close());
beforeEach(async () => {
  const begin = String.raw`\x1b[?2004h\x1b[1;32mthe agent\x1b[0m is `;
  await source.tmux(
    'respawn-pane',
    '-k',
    `cd ~; rm -f typed sizes; exec python3 pane-recorder.py typed sizes 0 '${begin}'`,
  );
  await source.untilShows('the agent is recording');
  await until(
    async () => {
      const [row] = agentsOf(await see(ground.jarvis), 'dragon-lin');
      return `${row?.tmux?.pid}` === (await source.fact('#{pane_pid}')) && row?.writer === null;
    },
    { timeoutMs: 30_000 },
  );
});

test('what is typed and pasted arrives as it was, watchers see who types, and the detach key leaves all as it was', async () => {
  const before = [await size(), await windowSize()];
  const watcher = await desk.sit('watcher', `~/.local/bin/fleet watch ${AGENT}`);
  const typist = await attach('typist');
  await untilSame(source, typist);
  await watcher.untilShows(/jarvis.* types/);
  expect(await until(writer, { timeoutMs: 30_000 })).toContain('jarvis');
  await typist.tmux('send-keys', '-l', `it's; #{x} é😀`);
  await typist.press('Enter', 'Up', 'C-c', 'M-x', 'C-z', 'BTab');
  const keys = `it's; #{x} é😀\r\x1b[A\x03\x1bx\x1a\x1b[Z`;
  await got(keys);
  const { host, user } = ground.jarvis;
  await host.mustSsh(user, "printf 'two\\nlines; #{x}' | tmux -L desk load-buffer -b p -");
  await typist.tmux('paste-buffer', '-p', '-r', '-b', 'p');
  await got(`${keys}\x1b[200~two\nlines; #{x}\x1b[201~`);
  await typist.press('C-]');
  expect(await untilLeft(typist, 0)).toContain('left');
  await until(async () => (await writer()) === null, { timeoutMs: 30_000 });
  await watcher.untilShows(/coder0-0 · live · 120x40/);
  await watcher.press('q');
  await untilLeft(watcher, 0);
  expect([await size(), await windowSize()]).toEqual(before);
  expect(await onDragon('cat sizes')).toBe('');
});

test('a second one is told who has it; with --takeover the first is told, leaves, and types no more', async () => {
  const first = await attach('first');
  const second = await desk.sit('second', ATTACH);
  expect(await untilLeft(second, 8)).toMatch(/busy: .*jarvis.*--takeover/s);
  const third = await attach('third', '--takeover');
  expect(await untilLeft(first, 8)).toMatch(/displaced/);
  await first.press('x');
  await third.press('y');
  await got('y');
  await third.press('C-]');
  await untilLeft(third, 0);
  await got('y');
});

test('--resize lends the pane the size of the terminal, until it leaves', async () => {
  const before = [await size(), await windowSize()];
  const pane = await attach('resizer', '--resize', { width: 91, height: 31 });
  await until(async () => (await size()) === '91x30 91x30', { timeoutMs: 30_000 });
  await untilSame(source, pane);
  await pane.press('C-]');
  await untilLeft(pane, 0);
  await untilGivenBack(before);
});

test('and until its line is cut: it says so and leaves, the host gives the size back, and another may type', async () => {
  const before = [await size(), await windowSize()];
  const pane = await attach('cut', '--resize', { width: 93, height: 33 });
  await until(async () => (await size()) === '93x32 93x32', { timeoutMs: 30_000 });
  await ground.pair.dragon.cutCable();
  expect(await untilLeft(pane, 5, 60_000)).toContain('the line was lost');
  await untilGivenBack(before);
  await ground.pair.dragon.mendCable();
  await untilWhole(ground.pair);
  const next = await attach('next');
  await next.press('n');
  await got('n');
  await next.press('C-]');
  await untilLeft(next, 0);
});

test('its sudden death leaves a clean terminal, gives the size back and frees the keyboard', async () => {
  const before = [await size(), await windowSize()];
  const pane = await attach('killed', '--resize', { width: 95, height: 35 });
  await until(async () => (await size()) === '95x34 95x34', { timeoutMs: 30_000 });
  const shell = await pane.fact('#{pane_pid}');
  await ground.pair.jarvis.asRoot(`kill -9 $(cat /proc/${shell}/task/${shell}/children)`);
  await untilLeft(pane, 137);
  await untilGivenBack(before);
  await until(async () => (await writer()) === null, { timeoutMs: 30_000 });
  await got('');
});
