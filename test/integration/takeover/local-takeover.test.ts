import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Keyboard } from '../../../src/cli/attach/keyboard.ts';
import { hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { getOrder } from '../../../src/cli/client/order-methods.ts';
import { changeTarget } from '../../../src/cli/orders/change-target.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { until } from '../../helpers/until.ts';
import { READER, SLOW } from './stage.ts';

let agent: RunningHostAgent;
const never = new AbortController().signal;
const record = (): string => join(agent.folder, 'bytes');
const typed = (): string => readFileSync(record(), 'latin1');
/** What the program read, once it is that long. */
const got = async (length: number): Promise<string> => {
  await until(() => typed().length >= length, SLOW);
  return typed();
};

const keyboard = async (
  channel: GrpcChannel,
  over: { id?: string; takeover?: boolean; width?: number; height?: number } = {},
) => {
  const { target } = await changeTarget(agent.config.paths, 'coder', never);
  const request = { id: randomUUID(), target, takeover: false, width: 0, height: 0, ...over };
  const board = new Keyboard({ channel, request, onNotice: () => undefined, onRoom: () => undefined, signal: never });
  return { board, granted: await board.take() };
};
const line = (): GrpcChannel => new GrpcChannel(hostAgentEndpoint(agent.config.paths));
const size = (): Promise<string> =>
  agent.tmux('display-message', '-p', '-t', '=coder:', '#{window_width}x#{window_height}');

beforeAll(async () => {
  agent = await RunningHostAgent.start('alpha');
  writeFileSync(join(agent.folder, 'reader.py'), READER);
  writeFileSync(record(), '');
  const command = `python3 ${agent.folder}/reader.py ${record()} ''`;
  await agent.tmux('new-session', '-d', '-s', 'coder', '-x', '100', '-y', '30', command);
  await until(async () => (await agent.tmux('capture-pane', '-p', '-t', '=coder:')).includes('ready'), SLOW);
  await until(() => changeTarget(agent.config.paths, 'coder', never), SLOW);
});
beforeEach(() => writeFileSync(record(), ''));
afterAll(() => agent?.remove());

test('keys go from the socket into the pane, and letting go frees it for the next', async () => {
  using channel = line();
  const { board } = await keyboard(channel);
  board.type([{ text: 'hello; ' }, { key: 'C-c' }]);
  board.type([{ paste: 'two\nlines' }, { key: 'Up' }]);
  await board.release(10_000);
  expect(await got(20)).toBe('hello; \x03two\nlines\x1b[A');
  const next = await keyboard(channel);
  expect(next.granted.displaced).toBe('');
  await next.board.release(1_000);
});

test('a caller whose connection breaks has let go at once, and a lent size is back', async () => {
  const broken = line();
  await keyboard(broken, { width: 120, height: 40 });
  expect((await size()).trim()).toBe('120x40');
  broken[Symbol.dispose]();
  using channel = line();
  const next = await until(() => keyboard(channel), SLOW);
  expect(next.granted.displaced).toBe('');
  expect((await size()).trim()).toBe('100x30');
  await next.board.release(1_000);
});

test('whoever is displaced hears it, and nothing that was typed later arrives', async () => {
  using channel = line();
  const first = await keyboard(channel);
  await expect(keyboard(channel)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringMatching(/^busy: /),
  });
  const second = await keyboard(channel, { takeover: true });
  expect(second.granted.displaced).not.toBe('');
  expect(await first.board.ended()).toMatchObject({ reason: 'displaced' });
  first.board.type([{ text: 'late' }]);
  second.board.type([{ text: 'mine' }]);
  await second.board.release(10_000);
  expect(await got(4)).toBe('mine');
});

test('the host’s policy file forbids it without a restart', async () => {
  const file = join(agent.config.paths.config, 'host-policy.json');
  using channel = line();
  const held = await keyboard(channel);
  mkdirSync(agent.config.paths.config, { recursive: true });
  writeFileSync(file, JSON.stringify({ takeover: false }));
  try {
    expect(await held.board.ended()).toMatchObject({ reason: 'policy' });
    await expect(keyboard(channel)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/policy/),
    });
  } finally {
    rmSync(file);
  }
});

test('a host-agent that stops gives back the size and says that the line is lost', async () => {
  using channel = line();
  const id = randomUUID();
  const { board } = await keyboard(channel, { id, width: 120, height: 40 });
  await agent.stop();
  await expect(board.ended()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect((await size()).trim()).toBe('100x30');
  await agent.begin();
  using again = line();
  const told = await again.unary(getOrder, { id }, { deadlineMs: 10_000 });
  expect(told).toMatchObject({ id, verb: 'attach', outcome: 'done', reason: 'left: the caller left' });
  expect(told.address).toMatch(/\/coder$/);
});
