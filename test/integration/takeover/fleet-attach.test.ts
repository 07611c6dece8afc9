import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { resolvePaths } from '../../../src/runtime/paths.ts';
import { FLEET_MAIN, runFleetProgram } from '../../helpers/fleet-program.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { PrivateTmux } from '../../helpers/tmux-server.ts';
import { until } from '../../helpers/until.ts';
import { READER, SLOW } from './stage.ts';

/** The operator's own terminal: a pane of another tmux server, in which `fleet attach` is typed as a person would. */
let agent: RunningHostAgent;
const desk = new PrivateTmux();
const record = (): string => join(agent.folder, 'bytes');
const got = async (length: number): Promise<string> => {
  await until(() => readFileSync(record()).length >= length, SLOW);
  return readFileSync(record(), 'latin1');
};
const shown = (seat: string): string => desk.run('d', 'capture-pane', '-p', '-t', `=${seat}:`);
const press = (seat: string, ...keys: string[]): string => desk.run('d', 'send-keys', '-t', `=${seat}:`, ...keys);
const fact = (seat: string, format: string): string =>
  desk.run('d', 'display-message', '-p', '-t', `=${seat}:`, format);
const instance = (): string[] => ['--instance', agent.config.paths.instance as string];
/** Where the program, with this home, looks for the sockets of that instance. */
const runFolder = (): string => resolvePaths({ instance: agent.config.paths.instance, home: agent.folder }).run;

const readerOf = (hello: string): string => `python3 ${agent.folder}/reader.py ${record()} '${hello}'`;

/** A seat with a shell in it, which tells how the program ended. */
const sit = async (seat: string, name: string, ...args: string[]): Promise<void> => {
  const words = [process.execPath, FLEET_MAIN, 'attach', name, ...instance(), ...args].map((word) => `'${word}'`);
  const shell = join(desk.tmpdir, `${seat}.sh`);
  writeFileSync(
    shell,
    `export HOME='${agent.folder}'\nstty -a\n${words.join(' ')}\necho "ended with $?"\nstty -a\nsleep 1000\n`,
  );
  desk.session('d', seat, `sh ${shell}`);
  await until(() => /YOU TYPE|ended with/.test(shown(seat)), SLOW);
};

beforeAll(async () => {
  agent = await RunningHostAgent.start(`attach${process.pid}`);
  mkdirSync(dirname(runFolder()), { recursive: true, mode: 0o700 });
  symlinkSync(agent.config.paths.run, runFolder());
  writeFileSync(join(agent.folder, 'reader.py'), READER);
  writeFileSync(record(), '');
  const command = readerOf('the \\x1b[1magent\\x1b[0m is ');
  await agent.tmux('new-session', '-d', '-s', 'coder', '-x', '60', '-y', '20', command);
  await until(async () => (await agent.tmux('capture-pane', '-p', '-t', '=coder:')).includes('ready'), SLOW);
});
beforeEach(() => writeFileSync(record(), ''));
afterAll(async () => {
  desk.close();
  rmSync(runFolder(), { force: true });
  await agent?.remove();
});

test('a person sees the screen and types, and leaves a clean terminal with the detach key', async () => {
  await sit('ada', 'coder');
  await until(() => shown('ada').includes('the agent is ready'), SLOW);
  expect(shown('ada')).toMatch(/YOU TYPE, ctrl-\] leaves · .*attach.*coder/);
  press('ada', '-l', "it's; #{x} é😀");
  press('ada', 'Enter', 'Up', 'C-c', 'M-x', 'S-Left', 'C-z', 'BTab');
  const expected = `${Buffer.from("it's; #{x} é😀").toString('latin1')}\r\x1b[A\x03\x1bx\x1b[1;2D\x1a\x1b[Z`;
  expect(await got(expected.length)).toBe(expected);
  press('ada', 'C-]');
  await until(() => shown('ada').includes('ended with 0'), SLOW);
  expect(shown('ada')).toContain('coder: left');
  expect(fact('ada', '#{alternate_on} #{cursor_flag} #{wrap_flag}')).toBe('0 1 1');
  const settings = shown('ada').match(/^.*-?icanon.*$/gm);
  expect(new Set(settings).size).toBe(1);
});

const leave = async (seat: string): Promise<void> => {
  press(seat, 'C-]');
  await until(() => shown(seat).includes('ended with 0'), SLOW);
};

test('a paste into the operator’s terminal arrives as one, bracketed where the program asks for it', async () => {
  await agent.tmux('new-session', '-d', '-s', 'bracketing', readerOf('\\x1b[?2004h'));
  await sit('paster', 'bracketing');
  desk.run('d', 'set-buffer', '-b', 'p', 'two\nlines; #{x}');
  desk.run('d', 'paste-buffer', '-p', '-r', '-b', 'p', '-t', '=paster:');
  const expected = '\x1b[200~two\nlines; #{x}\x1b[201~';
  expect(await got(expected.length)).toBe(expected);
  await leave('paster');
});

test('a second one is told who has it; displacing ends the first with 8, and its keys go nowhere', async () => {
  await sit('first', 'coder');
  await sit('second', 'coder');
  expect(shown('second')).toMatch(/busy: .* has typed here for \d+ s; --takeover displaces them/);
  expect(shown('second')).toContain('ended with 8');
  await until(() => shown('first').includes('asks for the keyboard'), SLOW);
  await sit('third', 'coder', '--takeover');
  await until(() => shown('first').includes('ended with 8'), SLOW);
  expect(shown('first')).toMatch(/coder: displaced: .* took over/);
  press('first', 'x');
  press('third', 'y');
  expect(await got(1)).toBe('y');
  await leave('third');
});

test('rows name who types', async () => {
  const writer = async (): Promise<string | null> => {
    const { stdout } = await runFleetProgram([...instance(), 'ps', '-o', 'json'], { HOME: agent.folder });
    return JSON.parse(stdout).agents.find((row: { agent: string }) => row.agent === 'coder').writer;
  };
  await sit('writer', 'coder');
  expect(await until(writer, SLOW)).toContain(agent.config.name);
  await leave('writer');
  await until(async () => (await writer()) === null, SLOW);
});

test('--resize lends the pane the size of the terminal, without the last line', async () => {
  const size = async () =>
    (await agent.tmux('display-message', '-p', '-t', '=coder:', '#{window_width}x#{window_height}')).trim();
  expect(await size()).toBe('60x20');
  await sit('resizer', 'coder', '--resize');
  expect(await size()).toBe('100x29');
  await leave('resizer');
  await until(async () => (await size()) === '60x20', SLOW);
});

test('the end of the session ends it with 0, the end of the host-agent with 5', async () => {
  await agent.tmux('new-session', '-d', '-s', 'brief', 'sleep 1000');
  await sit('ending', 'brief');
  await agent.tmux('kill-session', '-t', '=brief');
  await until(() => shown('ending').includes('ended with 0'), SLOW);
  await sit('cut', 'coder');
  await agent.stop();
  await until(() => shown('cut').includes('ended with 5'), SLOW);
  expect(shown('cut')).toContain('the line was lost');
  await agent.begin();
  rmSync(runFolder(), { force: true });
  symlinkSync(agent.config.paths.run, runFolder());
});

test.each(['SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
  '%s leaves a clean terminal, and the keyboard free',
  async (name) => {
    const seat = `killed-${name.toLowerCase()}`;
    await sit(seat, 'coder');
    const pid = Number(desk.run('d', 'display-message', '-p', '-t', `=${seat}:`, '#{pane_pid}'));
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    process.kill(Number(child), name);
    // What the shell says then may be gone with the alternate screen, which is left a moment later.
    await until(() => !existsSync(`/proc/${child}`), SLOW);
    await until(() => fact(seat, '#{alternate_on} #{cursor_flag} #{wrap_flag}') === '0 1 1', SLOW);
    await sit(`${seat}-next`, 'coder');
    expect(shown(`${seat}-next`)).toContain('YOU TYPE');
    await leave(`${seat}-next`);
  },
);

test('the host’s policy refuses it with 8, a pipe with 2', async () => {
  const file = join(agent.config.paths.config, 'host-policy.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ control: 'observe' }));
  try {
    await sit('refused', 'coder');
    expect(shown('refused')).toMatch(/this host's policy lets nobody take over an agent; whoever[\s\S]*ended with 8/);
  } finally {
    rmSync(file);
  }
  const piped = await runFleetProgram([...instance(), 'attach', 'coder'], { HOME: agent.folder });
  expect(piped.code).toBe(2);
  expect(piped.stderr).toContain('needs a terminal');
});

test('it does not attach to the pane in which it runs', async () => {
  const words = [process.execPath, FLEET_MAIN, ...instance(), 'attach', 'mirror'].join(' ');
  const loop = `sh -c 'sleep 2; export HOME=${agent.folder}; while :; do ${words}; echo "ended with $?"; sleep 1; done'`;
  await agent.tmux('new-session', '-d', '-s', 'mirror', '-x', '120', loop);
  await until(
    async () =>
      /the pane in which this runs[\s\S]*ended with 8/.test(await agent.tmux('capture-pane', '-p', '-t', '=mirror:')),
    SLOW,
  );
  await agent.tmux('kill-session', '-t', '=mirror');
});

/** Typed at both seats; prefix and detach key left out, a lone Escape last, as it waits for more. */
const TYPED =
  'Up Down Left Right Home End PPage NPage IC DC BSpace Tab BTab Enter Space F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 ' +
  'C-a C-c C-d C-h C-j C-q C-s C-z C-Space C-^ C-_ C-\\ M-x M-X M-1 M-; M-# M-{ M-Enter M-BSpace C-M-x S-Up C-Left M-Right ' +
  'C-M-S-Left C-DC S-F3 C-F12 M-PPage é 漢 😀 ; # { \' " $ \\ ~ Escape';

test('every key arrives as it does from a tmux client of one’s own', async () => {
  const type = async (seat: string): Promise<string> => {
    writeFileSync(record(), '');
    // On its command line tmux takes a last ; for the end of a command.
    press(seat, ...TYPED.split(' ').map((key) => key.replace(/;$/, '\\;')));
    const typed = () => readFileSync(record(), 'latin1');
    // Escape comes alone and late: what is typed once it stands there is the end.
    await until(() => typed().length > 100 && typed().endsWith('\x1b'), SLOW);
    press(seat, '$');
    await until(() => typed().endsWith('\x1b$'), SLOW);
    return typed();
  };
  await sit('ours', 'coder');
  const ours = await type('ours');
  await leave('ours');
  const client = `env -u TMUX TMUX_TMPDIR=${agent.config.paths.tmuxTmpdir} tmux -u -L default attach-session -t =coder`;
  desk.session('d', 'theirs', client);
  await until(() => shown('theirs').includes('ready'), SLOW);
  const theirs = await type('theirs');
  desk.run('d', 'kill-session', '-t', '=theirs');
  expect(ours).toBe(theirs);
});
