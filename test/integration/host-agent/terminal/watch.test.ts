import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TerminalGround, type Watcher } from '../../../helpers/terminal-ground.ts';
import { until } from '../../../helpers/until.ts';

const PATIENT = { timeoutMs: 60_000 };

const followed = (ground: TerminalGround, server = 'a') =>
  until(() => ground.under.controlClients(server).length === 1, PATIENT);

const watchOf = async (ground: TerminalGround, session: string) => {
  const row = await until(() => ground.row(session), PATIENT);
  return ground.watch(row.key);
};

const liveOn = async (ground: TerminalGround, session: string) => {
  const watcher = await watchOf(ground, session);
  await until(() => watcher.status?.source === 'live', PATIENT);
  return watcher;
};

const agrees = (ground: TerminalGround, watcher: Watcher, target: string) =>
  until(() => {
    const rows = ground.captured('a', target);
    return watcher.text.length > 0 && watcher.text.every((text, y) => text === (rows[y] ?? ''));
  }, PATIENT);

test('the first frame is the screen with its colours, wide characters and cursor, and it goes on live', async () => {
  await using ground = new TerminalGround();
  const shown = String.raw`printf '\033[1;31mred\033[0m 日本 e\314\201 \033(0lqk\033(B \033[38;2;1;2;3mrgb\033[0m>'; cat`;
  ground.tmux.session('a', 'one', `stty -echo; ${shown}`);
  await ground.start();
  await followed(ground);
  const watcher = await liveOn(ground, 'one');
  await until(() => watcher.text[0]?.endsWith('>'), PATIENT);
  expect(watcher.messages.find(({ frame }) => frame)?.frame?.keyframe).toBe(true);
  const picture = watcher.log.picture!;
  expect(picture).toMatchObject({ width: 100, height: 30, cursorX: 19, cursorY: 0, alternateScreen: false });
  const spans = picture.rows[0]!.map(({ text, columns, foreground, attributes }) => [
    text,
    columns,
    foreground,
    attributes,
  ]);
  expect(spans).toEqual([
    ['red', 3, 2, 1],
    [' 日本 e\u0301 ┌─┐ ', 12, 0, 0],
    ['rgb', 3, 0x1010203, 0],
    ['>', 1, 0, 0],
  ]);
  expect(watcher.text.slice(1)).toEqual(Array(29).fill(''));
  ground.tmux.run('a', 'send-keys', '-t', 'one:', 'more', 'Enter');
  await until(() => watcher.text[0]?.endsWith('>more'), PATIENT);
});

test('scrolling, the alternate screen, another size and a burst of 20 MB end in what tmux shows', async () => {
  await using ground = new TerminalGround();
  ground.tmux.session('a', 'one', 'sh');
  await ground.start();
  await followed(ground);
  const watcher = await liveOn(ground, 'one');
  const type = (line: string) => ground.tmux.run('a', 'send-keys', '-t', 'one:', line, 'Enter');
  type('seq 1 500');
  await until(() => watcher.text.includes('500'), PATIENT);
  await agrees(ground, watcher, 'one:');
  type(String.raw`printf '\033[?1049h\033[5;7Hinside'; read x; printf '\033[?1049l'`);
  await until(() => watcher.log.picture?.alternateScreen && watcher.text[4]?.trim() === 'inside', PATIENT);
  ground.tmux.run('a', 'resize-window', '-t', 'one:', '-x', '60', '-y', '20');
  await until(() => watcher.log.picture?.width === 60 && watcher.text.length === 20, PATIENT);
  type('');
  await until(() => watcher.log.picture?.alternateScreen === false, PATIENT);
  await agrees(ground, watcher, 'one:');
  const before = watcher.frames;
  type('seq 1 2800000; echo over and out');
  await until(() => watcher.text.includes('over and out'), { timeoutMs: 150_000 });
  await agrees(ground, watcher, 'one:');
  // A frame for hundreds of lines, however long it took.
  expect(watcher.frames - before).toBeLessThan(10_000);
});

test('fifty watchers are one client of the server, and none when the last has left', async () => {
  await using ground = new TerminalGround();
  ground.tmux.session('a', 'one', 'cat');
  await ground.start();
  await followed(ground);
  const { key } = await until(() => ground.row('one'), PATIENT);
  const watchers = Array.from({ length: 50 }, (_, index) => ground.watch(key, `jo${index}@here`));
  await until(() => watchers.every(({ status }) => status?.source === 'live'), PATIENT);
  expect(ground.under.controlClients()).toHaveLength(2);
  await until(() => ground.row('one')?.watchers === 50, PATIENT);
  expect(ground.row('one')?.tmux?.attached).toBe(0);
  for (const watcher of watchers) watcher.leave();
  await until(() => ground.under.controlClients().length === 1, PATIENT);
  await until(() => ground.row('one')?.watchers === 0, PATIENT);
});

test('whoever watches types nothing and resizes nothing', async () => {
  await using ground = new TerminalGround();
  const seen = join(ground.tmux.tmpdir, 'seen');
  const record = `stty raw -echo; printf '\\033[?1004h\\033[?1000h'; trap 'echo resized >> ${seen}' WINCH; while :; do dd bs=1 count=1 2>/dev/null >> ${seen}; done`;
  ground.tmux.session('a', 'one', record);
  await ground.start();
  await followed(ground);
  for (let turn = 0; turn < 3; turn++) {
    const watcher = await liveOn(ground, 'one');
    watcher.leave();
    await until(() => ground.under.controlClients().length === 1, PATIENT);
  }
  ground.tmux.run('a', 'send-keys', '-t', 'one:', 'z');
  // The follower of the server, which is there whether anybody watches or not, may have reported the focus.
  const typed = await until(() => {
    const all = readFileSync(seen, 'utf8');
    return all.endsWith('z') && all;
  }, PATIENT);
  expect(typed.replace(/^\x1b\[I/, '')).toBe('z');
});

/** Somebody else's client, as a terminal of theirs would be. */
class Person implements Disposable {
  readonly #child: ChildProcess;

  constructor(tmux: TerminalGround['tmux'], server: string, session: string) {
    const args = ['-u', '-S', tmux.socket(server), '-C', 'attach-session', '-t', `=${session}`];
    this.#child = spawn('tmux', args, { stdio: ['pipe', 'ignore', 'ignore'], env: { ...process.env, TERM: 'xterm' } });
  }

  [Symbol.dispose](): void {
    this.#child.stdin?.end();
  }
}

const HARMED: [string, string[], RegExp][] = [
  ['focus-events', ['set-option', '-g', 'focus-events', 'on'], /focus-events/],
  ['a hook', ['set-hook', '-g', 'client-attached', 'display-message hello'], /client-attached hook/],
];

for (const [what, command, because] of HARMED) {
  test(`where ${what} makes a client harmful the screen is polled, and the status says why`, async () => {
    await using ground = new TerminalGround();
    ground.tmux.session('a', 'one', 'cat');
    ground.tmux.run('a', ...command);
    await ground.start();
    await until(() => ground.under.server()?.polled, PATIENT);
    const watcher = await watchOf(ground, 'one');
    await until(() => because.test(watcher.status?.polledBecause ?? ''), PATIENT);
    expect(watcher.status?.source).toBe('polled');
    ground.tmux.run('a', 'send-keys', '-t', 'one:', 'typed by its owner');
    await until(() => watcher.text[0] === 'typed by its owner', PATIENT);
    expect(ground.under.controlClients()).toEqual([]);
  });
}

test('a session in which no client of ours is yet gets none: its program may have asked for focus reports', async () => {
  await using ground = new TerminalGround();
  const seen = join(ground.tmux.tmpdir, 'seen');
  ground.tmux.session('a', '_holder', 'cat');
  const record = `stty raw -echo; printf '\\033[?1004h'; while :; do dd bs=1 count=1 2>/dev/null >> ${seen}; done`;
  ground.tmux.session('a', 'one', record);
  await ground.start();
  await followed(ground);
  const watcher = await watchOf(ground, 'one');
  await until(() => /focus report/.test(watcher.status?.polledBecause ?? ''), PATIENT);
  ground.tmux.run('a', 'send-keys', '-t', 'one:', 'z');
  expect(await until(() => readFileSync(seen, 'utf8'), PATIENT)).toBe('z');
  expect(ground.under.controlClients()).toHaveLength(1);
});

test('a session that would end with our client is polled, though its server is followed through another', async () => {
  await using ground = new TerminalGround();
  ground.tmux.session('a', 'one', 'cat');
  ground.tmux.session('a', 'two', 'cat');
  using _person = new Person(ground.tmux, 'a', 'one');
  await until(() => ground.tmux.run('a', 'list-clients') !== '', PATIENT);
  ground.tmux.run('a', 'set-option', '-t', 'one:', 'destroy-unattached', 'on');
  await ground.start();
  const watcher = await watchOf(ground, 'one');
  await until(() => /destroy-unattached/.test(watcher.status?.polledBecause ?? ''), PATIENT);
  ground.tmux.run('a', 'send-keys', '-t', 'one:', 'seen');
  await until(() => watcher.text[0] === 'seen', PATIENT);
});

test('a server that becomes harmful while it is watched is left, and polled from then on', async () => {
  await using ground = new TerminalGround();
  ground.tmux.session('a', 'one', 'cat');
  await ground.start();
  await followed(ground);
  const watcher = await liveOn(ground, 'one');
  ground.tmux.run('a', 'set-option', '-g', 'focus-events', 'on');
  await until(() => /focus-events/.test(watcher.status?.polledBecause ?? ''), PATIENT);
  await until(() => ground.under.controlClients().length === 0, PATIENT);
});

test('a hung server keeps its picture and grows silent; it goes on when it is continued', async () => {
  await using ground = new TerminalGround();
  const pid = ground.tmux.session('a', 'one', 'echo here; cat');
  await ground.start();
  await followed(ground);
  const watcher = await liveOn(ground, 'one');
  process.kill(pid, 'SIGSTOP');
  await until(() => (watcher.status?.silentMs ?? 0) > 2_500, PATIENT);
  expect(watcher.text[0]).toBe('here');
  expect(watcher.end).toBeNull();
  process.kill(pid, 'SIGCONT');
  await until(() => (watcher.status?.silentMs ?? Infinity) < 2_000, PATIENT);
  ground.tmux.run('a', 'send-keys', '-t', 'one:', 'again');
  await until(() => watcher.text[1] === 'again', PATIENT);
  expect(watcher.end).toBeNull();
});

test('the end of a server, and that of a session, are told once they are known', async () => {
  await using ground = new TerminalGround();
  const pid = ground.tmux.session('a', 'one', 'cat');
  ground.tmux.session('b', 'two', 'cat');
  ground.tmux.session('b', 'three', 'cat');
  await ground.start();
  const [one, two] = [await liveOn(ground, 'one'), await watchOf(ground, 'two')];
  process.kill(pid, 'SIGKILL');
  await until(() => one.end, PATIENT);
  expect(one.end?.reason).toBe('server_ended');
  ground.tmux.run('b', 'kill-session', '-t', '=two');
  await until(() => two.end, PATIENT);
  expect(two.end?.reason).toBe('session_ended');
  await Promise.all([one.done, two.done]);
});

test('a pane that died is shown as it died, and followed when it is started again', async () => {
  await using ground = new TerminalGround();
  ground.tmux.session('a', 'one', 'cat');
  ground.tmux.run('a', 'set-option', '-g', 'remain-on-exit', 'on');
  await ground.start();
  await followed(ground);
  const watcher = await liveOn(ground, 'one');
  ground.tmux.run('a', 'send-keys', '-t', 'one:', 'C-d');
  await until(() => watcher.status?.paneDead, PATIENT);
  ground.tmux.run('a', 'respawn-pane', '-t', 'one:', 'echo second life; cat');
  await until(() => watcher.status?.paneDead === false && watcher.text.includes('second life'), PATIENT);
  ground.tmux.run('a', 'send-keys', '-t', 'one:', 'goes on');
  await until(() => watcher.text.some((text) => text === 'goes on'), PATIENT);
  expect(watcher.end).toBeNull();
});
