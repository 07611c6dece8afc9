/** An agent of one machine watched from the other: what the viewer's terminal has is what tmux has, and nobody there notices. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { agentsOf, see } from '../helpers/fleet-seen.ts';
import { Desk, HostPane, untilLeft, untilSame } from '../helpers/host-pane.ts';
import { SCREEN_TEST, WIDE_LINES } from '../helpers/screen-test.ts';
import { tmuxClients } from '../helpers/tmux-clients.ts';
import { until } from '../helpers/until.ts';

const AGENT = 'dragon-lin/coder0-0';
const ground = fleetGround();
let desk: Desk;
let deskThere: Desk;
/** The agent's own pane, with a shell in it that its owner types at. */
let source: HostPane;
let viewer: HostPane;

const onDragon = (command: string) => ground.pair.dragon.mustSsh('jwoltje', command);
const clients = () => tmuxClients(ground.dragon, { format: '#{client_pid} #{client_control_mode} #{client_session}' });
const row = async () => {
  const found = agentsOf(await see(ground.jarvis), 'dragon-lin').find(({ agent }) => agent === 'coder0-0');
  if (!found?.tmux) throw new Error(`${AGENT} is not shown`);
  return { ...found, tmux: found.tmux };
};
/** Waits for what the program in the pane shows, and then for the viewer. */
const settles = async (words: string | RegExp) => {
  await source.untilShows(words);
  return untilSame(source, viewer);
};

let followers: string[];

beforeAll(async () => {
  const { dragon } = ground.pair;
  // What begins by the clock is no cost of watching.
  await dragon.asRoot("systemctl stop '*.timer'");
  const owned = { owner: 'jwoltje' };
  await dragon.writeFile('/home/jwoltje/wide.txt', WIDE_LINES, owned);
  await dragon.writeFile('/home/jwoltje/screen-test', SCREEN_TEST, owned);
  const recorder = readFileSync(join(import.meta.dirname, '../fixtures/pane-recorder.py'));
  await dragon.writeFile('/home/jwoltje/pane-recorder.py', recorder, owned);
  source = new HostPane(ground.dragon, 'coder0-0');
  followers = await until(
    async () => {
      const all = await clients();
      return all.length === 1 && all;
    },
    { timeoutMs: 30_000 },
  );
  desk = new Desk(ground.jarvis);
  deskThere = new Desk(ground.dragon);
  viewer = await desk.sit('viewer', `~/.local/bin/fleet watch ${AGENT}`);
});
afterAll(async () => {
  await desk?.close();
  await deskThere?.close();
});
beforeEach(async () => {
  await source.tmux('respawn-pane', '-k', "cd ~; env LANG=C.UTF-8 PS1='> ' bash --norc --noprofile");
  await source.untilShows(/^>$/);
  await viewer.untilShows('coder0-0 · live · 120x40');
});

describe('what the viewer shows is what tmux has', () => {
  test('at first, with the line that says so', async () => {
    await settles(/^>$/);
    await viewer.untilShows(/^home\/dragon-lin\/jwoltje\/coder0-0 · live · 120x40 · connected .* · 1 watching/);
  });

  test('in vim: a file of wide characters, scrolled, edited, left', async () => {
    await source.type('vim.tiny -N -u NONE wide.txt');
    await settles(/^1 /);
    await source.press('C-f', 'C-f', 'C-e', 'C-e');
    expect((await settles(/^7\d /)).alternate).toBe(true);
    await source.type(':set number');
    await source.press('i', '漢字 é 😀', 'Left', 'Left');
    await settles(/INSERT/);
    await source.press('Escape');
    await source.press('V', 'k', 'k', '$');
    await settles(/VISUAL/);
    await source.press('Escape');
    await source.type(':q!');
    expect((await settles(/^> vim/)).alternate).toBe(false);
  });

  test('in htop', async () => {
    await source.type('htop -d 100');
    await settles(/F10/);
    await source.press('Down', 'Down', 'F5');
    await settles(/F10/);
    await source.press('F10');
    await settles(/^> htop/);
  });

  test('in less: by lines, by pages, to the end, and a search', async () => {
    await source.type('less -N wide.txt');
    await settles(/^ +1 1 /);
    await source.press('Down', 'Down', 'Space', 'd');
    await settles(/^ +80 80 /);
    await source.press('G');
    await settles(/^ +400 400 /);
    await source.type('?line 2.0');
    await settles(/^ +290 290 /);
    await source.press('q');
    await settles(/^> less/);
  });

  test('of every colour, attribute, line and width', async () => {
    await source.type('clear; cat screen-test');
    const { rows, cells } = await settles(/^end of the test/);
    expect(rows.join('\n')).toContain('世界');
    // What is compared has looks: not one of them was lost before.
    expect(new Set(cells.flat().flatMap((cell) => cell.split(' ').slice(1))).size).toBeGreaterThan(300);
  });

  test('over many switches of the alternate screen', async () => {
    const turn = String.raw`printf '\033[?1049h\033[H\033[2Jturn %d' $n; printf '\033[?1049l%d ' $n`;
    await source.type(`clear; for n in $(seq 200); do ${turn}; done; echo back`);
    expect((await settles(/200 back/)).alternate).toBe(false);
    await source.type(String.raw`printf '\033[?1049h\033[5;7Hinside'; read x; printf '\033[?1049l'; echo outside`);
    expect((await settles(/^ {6}inside/)).alternate).toBe(true);
    await source.type('');
    expect((await settles(/^outside/)).alternate).toBe(false);
  });

  test('after its owner gives it another size, and the old one again', async () => {
    await source.tmux('resize-window', '-x', '77', '-y', '21');
    expect(await settles(/^>$/)).toMatchObject({ width: 77, height: 21 });
    await viewer.untilShows('· 77x21 ·');
    await source.tmux('resize-window', '-x', '120', '-y', '40');
    expect(await settles(/^>$/)).toMatchObject({ width: 120, height: 40 });
  });

  test('after a burst of 20 MB', async () => {
    await source.type('base64 /dev/urandom | head -c 20000000; echo; echo over and out');
    await source.untilShows(/^over and out/, 120_000);
    await settles(/^over and out/);
  });
});

describe('whoever watches', () => {
  test('types nothing, resizes nothing, is counted apart from those who attach, and costs the host no process', async () => {
    const { dragon, jarvis } = ground.pair;
    const facts =
      '#{window_width}x#{window_height} #{window-size} #{session_attached} #{session_windows} #{window_panes}';
    const before = { facts: await source.fact(facts), attached: (await row()).tmux.attached };
    expect(before.attached).toBe(0);
    // Focus, clicks and pastes are asked for by the program: whatever a careless viewer's tmux would tell it.
    const wants = String.raw`\x1b[?1004h\x1b[?1003h\x1b[?1006h\x1b[?2004h`;
    await source.type(`clear; python3 pane-recorder.py typed sizes 60 '${wants}'`);
    await viewer.untilShows(/^tick 3/);
    const firstPid = Number((await dragon.asRoot('cat /proc/loadavg')).split(' ')[4]);
    await viewer.press('x', 'Up', 'PageDown', 'C-l', 'F5', 'Enter', 'Escape', 'é', 'f');
    await viewer.tmux('send-keys', '-l', '\x1b[<0;5;5M\x1b[I\x1b[200~pasted\x1b[201~');
    await viewer.tmux('resize-window', '-x', '90', '-y', '30');
    await viewer.tmux('resize-window', '-x', '130', '-y', '46');
    await viewer.press('f');
    await viewer.untilShows(/^tick 55/);
    const lastPid = Number((await dragon.asRoot('cat /proc/loadavg')).split(' ')[4]);
    // Two of them are those that looked; threads count as well.
    expect(lastPid - firstPid).toBeLessThan(25);
    const beside = await deskThere.sit('beside', '~/.local/bin/fleet watch coder0-0', { width: 110, height: 20 });
    await beside.untilShows('· 2 watching');
    await until(async () => (await row()).watchers === 2, { timeoutMs: 40_000 });
    expect(await clients()).toHaveLength(2);
    // The program's last words: from here on the screen stands still.
    await viewer.untilShows(/^recording/);
    const once = await jarvis.fleet('jarvis', ['watch', '--once', '-o', 'text', AGENT]);
    expect([once.exitCode, once.stdout]).toEqual([0, expect.stringContaining('tick 59\nrecording')]);
    await settles('recording');
    await beside.press('q');
    await untilLeft(beside, 0);
    expect((await row()).tmux.attached).toBe(before.attached);
    expect(await source.fact(facts)).toBe(before.facts.replace(/(?<=\S+ \S+ )\d+/, '2'));
    expect(await onDragon('cat sizes')).toBe('');
    await source.press('z');
    await until(async () => (await onDragon('cat typed')) !== '', { timeoutMs: 40_000 });
    expect(await onDragon('cat typed')).toBe('z');
  });

  test('leaves a clean terminal, and no client behind', async () => {
    const facts = await source.fact('#{window_width}x#{window_height} #{window-size}');
    await viewer.press('q');
    await untilLeft(viewer, 0);
    await until(async () => (await clients()).length === 1, { timeoutMs: 40_000 });
    expect(await clients()).toEqual(followers);
    expect(await source.fact('#{window_width}x#{window_height} #{window-size}')).toBe(facts);
    expect(await onDragon('tmux list-sessions -F "#{session_name}"')).toBe('coder0-0\n');
    await until(async () => (await row()).watchers === 0, { timeoutMs: 40_000 });
  });
});
