import { afterEach, beforeEach, expect, test } from 'vitest';
import { ControlClient } from '../../../host-agent/tmux/control-client.ts';
import { PrivateTmux } from '../../helpers/tmux-server.ts';
import { until } from '../../helpers/until.ts';

let tmux: PrivateTmux;
let pid: number;
let client: ControlClient;

beforeEach(async () => {
  tmux = new PrivateTmux();
  pid = tmux.session('a', 'one', 'cat');
  const socket = tmux.socket('a');
  client = new ControlClient({ tmuxPath: 'tmux', socket, sessionId: '$0', flags: 'ignore-size' });
  client.start();
  await client.opened;
});
afterEach(async () => {
  process.kill(pid, 'SIGCONT');
  await client.close();
  tmux.close();
});

const ask = async (line: string, timeoutMs = 5_000) => (await client.command(line, { timeoutMs })).map(String);

test('answers come in the order of the questions, refusals among them', async () => {
  const answers = await Promise.allSettled([
    ask("display-message -p 'one é'"),
    ask('no-such-command'),
    ask("display-message -p ''"),
    ask("display-message -p 'two'"),
  ]);
  expect(answers.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.code))).toEqual([
    ['one é'],
    'FAILED_PRECONDITION',
    [''],
    ['two'],
  ]);
});

test('output of the pane arrives as notifications, byte for byte as tmux escapes it', async () => {
  const heard: string[] = [];
  using _listening = client.onNotification((line) => void heard.push(line.toString('latin1')));
  await ask("send-keys -t %0 -l 'x\\y'");
  await until(() => heard.join('\n').includes('%output %0 x\\134y'), { timeoutMs: 30_000 });
});

test('an answer that is late is dropped, and the next ones keep their places', async () => {
  process.kill(pid, 'SIGSTOP');
  const late = ask("display-message -p 'late'", 50);
  await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  const next = ask("display-message -p 'next'");
  process.kill(pid, 'SIGCONT');
  expect(await next).toEqual(['next']);
});

test('a bounded number of questions waits for a hung server', async () => {
  process.kill(pid, 'SIGSTOP');
  const asked = Array.from({ length: 65 }, () => ask('list-sessions', 60_000).catch((error) => error.code));
  expect(await asked[64]).toBe('RESOURCE_EXHAUSTED');
  process.kill(pid, 'SIGCONT');
  expect(await asked[63]).toEqual([expect.stringContaining('one')]);
});

test('close leaves no process, and the server without a client', async () => {
  const child = client.pid!;
  await client.close();
  expect(() => process.kill(child, 0)).toThrow('ESRCH');
  expect(tmux.run('a', 'list-clients')).toBe('');
  await expect(ask('list-sessions')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a client of a hung server is ended all the same, and the server survives that', async () => {
  const child = client.pid!;
  process.kill(pid, 'SIGSTOP');
  await client.close();
  expect(() => process.kill(child, 0)).toThrow('ESRCH');
  process.kill(pid, 'SIGCONT');
  expect(tmux.run('a', 'list-sessions', '-F', '#{pid}')).toBe(String(pid));
});

test('questions that are open when the server ends are refused', async () => {
  const ended = ask('kill-server');
  await ended.catch(() => undefined);
  await client.closed;
  await expect(ask('list-sessions')).rejects.toThrow('ended');
});

test('a client for a server that is not there starts none', async () => {
  const socket = tmux.socket('none');
  const lost = new ControlClient({ tmuxPath: 'tmux', socket, sessionId: '$0', flags: 'ignore-size' });
  lost.start();
  await expect(lost.opened).rejects.toThrow('No such file');
  expect(() => tmux.run('none', '-N', 'list-sessions')).toThrow();
});
