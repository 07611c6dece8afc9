import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Keyboard } from '../../../src/cli/attach/keyboard.ts';
import { adminEndpoint, hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { type Endpoint, GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { changeTarget } from '../../../src/cli/orders/change-target.ts';
import type { RunningController } from '../../helpers/run-controller.ts';
import type { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { TwoHosts } from '../../helpers/two-hosts.ts';
import { until } from '../../helpers/until.ts';
import { READER, SLOW } from './stage.ts';

const hosts = new TwoHosts();
let cell: RunningController;
let jarvis: RunningHostAgent;
let dragon: RunningHostAgent;
const never = new AbortController().signal;
const record = (): string => join(dragon.folder, 'bytes');
const got = async (length: number): Promise<string> => {
  await until(() => readFileSync(record()).length >= length, SLOW);
  return readFileSync(record(), 'latin1');
};
const byController = (): Endpoint => adminEndpoint(cell.config.paths);
const byHost = (): Endpoint => hostAgentEndpoint(jarvis.config.paths);
const size = (): Promise<string> =>
  dragon.tmux('display-message', '-p', '-t', '=coder:', '#{window_width}x#{window_height}');

const keyboard = async (channel: GrpcChannel, over: { takeover?: boolean; width?: number; height?: number } = {}) => {
  const { target } = await changeTarget(jarvis.config.paths, 'dragon-lin/coder', never, 'destroy');
  const request = { id: randomUUID(), target, takeover: false, width: 0, height: 0, ...over };
  const board = new Keyboard({ channel, request, onNotice: () => undefined, onRoom: () => undefined, signal: never });
  return { board, granted: await board.take() };
};

beforeAll(async () => {
  await hosts.start();
  ({ cell, jarvis, dragon } = hosts);
  writeFileSync(join(dragon.folder, 'reader.py'), READER);
  writeFileSync(record(), '');
  const command = `python3 ${dragon.folder}/reader.py ${record()} ''`;
  await dragon.tmux('new-session', '-d', '-s', 'coder', '-x', '100', '-y', '30', command);
  await until(async () => (await dragon.tmux('capture-pane', '-p', '-t', '=coder:')).includes('ready'), SLOW);
  await until(() => changeTarget(jarvis.config.paths, 'dragon-lin/coder', never, 'destroy').catch(() => null), SLOW);
});
beforeEach(() => writeFileSync(record(), ''));
afterAll(() => hosts.end());

test('an administrator types into an agent on another machine, each stroke once and in order', async () => {
  using channel = new GrpcChannel(byController());
  const { board } = await keyboard(channel);
  let expected = '';
  for (let at = 0; at < 500; at += 1) {
    const text = `${at};`;
    board.type([{ text }, { key: 'Enter' }]);
    expected += `${text}\r`;
    if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await board.release(20_000);
  expect(await got(expected.length)).toBe(expected);
});

test('a bare name does not take over an agent on another machine', async () => {
  await expect(changeTarget(jarvis.config.paths, 'coder', never, 'destroy')).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('is on another machine: write'),
  });
});

test('callers of another host may not, and are told what would allow it', async () => {
  using channel = new GrpcChannel(byHost());
  await expect(keyboard(channel)).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringMatching(/may not take over elsewhere.*fleet host allow W-jarvis takeover/),
  });
});

test('a person on the machine itself displaces one who is elsewhere, who hears it', async () => {
  using far = new GrpcChannel(byController());
  const remote = await keyboard(far);
  using near = new GrpcChannel(hostAgentEndpoint(dragon.config.paths));
  const { board, granted } = await keyboard(near, { takeover: true });
  expect(granted.displaced).not.toBe('');
  expect(await remote.board.ended()).toMatchObject({ reason: 'displaced' });
  remote.board.type([{ text: 'late' }]);
  board.type([{ text: 'here' }]);
  await board.release(10_000);
  expect(await got(4)).toBe('here');
});

test('a caller whose connection breaks has let go on the other machine, and the size is back', async () => {
  const far = new GrpcChannel(byController());
  await keyboard(far, { width: 120, height: 40 });
  expect((await size()).trim()).toBe('120x40');
  far[Symbol.dispose]();
  await until(async () => (await size()).trim() === '100x30', SLOW);
  using near = new GrpcChannel(hostAgentEndpoint(dragon.config.paths));
  const next = await keyboard(near);
  await next.board.release(1_000);
});

test('when the controller stops the takeover is lost for the caller and let go on the host', async () => {
  using far = new GrpcChannel(byController());
  const { board } = await keyboard(far, { width: 120, height: 40 });
  await cell.stop();
  await expect(board.ended()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await until(async () => (await size()).trim() === '100x30', SLOW);
  await cell.begin();
});
