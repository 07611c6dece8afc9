import type { ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { watchTerminal } from '../../../src/cli/client/terminal-methods.ts';
import { runPersistently } from '../../../src/cli/watch/persistent-stream.ts';
import { SharedLine } from '../../../src/cli/watch/shared-line.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import type { WatchTerminalRequest, WatchTerminalResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import type { Running } from '../../helpers/fleet-program.ts';
import { until } from '../../helpers/until.ts';
import { ServedScreens } from './served-screens.ts';

const SLOW = { timeoutMs: 30_000 };
let served: ServedScreens;
let running: Running | null = null;

beforeEach(() => {
  served = new ServedScreens();
});

afterEach(() => served.dispose());

const watch = (...args: string[]): Running => {
  running = served.view.fleet('watch', ...args);
  return running;
};

test('an agent that began anew under another key is watched there', async () => {
  served.screen('coder').draw(['the first']);
  await served.start('coder');
  watch('coder');
  await until(() => running?.stdout.includes('the first'), SLOW);
  served.stop();
  served.screens.clear();
  served.screen('anew').draw(['the second']);
  await served.start();
  served.view.put({ here: true }, agentRow({ key: 'k:anew', agent: 'coder' }));
  await until(() => running?.stdout.includes('the second'), SLOW);
});

test('an agent that its host does not have any more has ended, but not while the host is only starting', async () => {
  served.screen('coder').draw(['the first']);
  await served.start('coder');
  const { ended } = watch('coder');
  await until(() => running?.stdout.includes('the first'), SLOW);
  served.stop();
  const [screen] = served.screens.values();
  served.screens.clear();
  await served.start();
  await until(() => running?.stdout.includes('no such agent'), SLOW);
  served.screens.set('coder', screen as never);
  screen?.draw(['back again']);
  await until(() => running?.stdout.includes('back again'), SLOW);
  served.stop();
  served.screens.clear();
  await served.start();
  expect(await ended).toMatchObject({
    code: 0,
    stderr: 'home/W-jarvis/jarvis/coder: the agent was removed (its host has no agent of that name any more)\n',
  });
});

test('a host-agent that falls silent is asked anew; tiles share one connection, and give it back', async () => {
  const calls: ServerWritableStream<WatchTerminalRequest, WatchTerminalResponse>[] = [];
  served.watch = (call) => void calls.push(call);
  await served.start('coder');
  const line = new SharedLine(hostAgentEndpoint(served.view.paths));
  const first = line.lease();
  const second = line.lease();
  expect(second.channel).toBe(first.channel);
  first[Symbol.dispose]();
  second[Symbol.dispose]();
  using third = line.lease();
  expect(third.channel).not.toBe(first.channel);

  const broken: string[] = [];
  const stop = new AbortController();
  const run = runPersistently(
    {
      line,
      method: watchTerminal,
      place: { hostAgent: 'W-jarvis/jarvis', key: 'k:coder' },
      request: (place) => ({ ...place, minIntervalMs: 0 }),
      onMessage: () => false,
      onBroken: (reason) => broken.push(reason),
      find: async () => null,
      clock: systemClock,
      stallMs: 300,
      backoff: { firstMs: 1, capMs: 5 },
    },
    stop.signal,
  );
  await until(() => calls.length >= 3, SLOW);
  expect(broken[0]).toBe('the host-agent of this machine said nothing for 0.3 s');
  await until(() => calls.slice(0, 2).every((call) => call.cancelled), SLOW);
  stop.abort();
  expect(await run).toBe(false);
});

test('a reader that stops reading is not written to without bound, and gets the last frame when it reads again', async () => {
  const screen = served.screen('coder');
  const lines = (n: number) => Array.from({ length: 100 }, (_, y) => `${n} `.repeat(40).slice(0, 150) + y);
  screen.draw(lines(0), { width: 200 });
  await served.start('coder');
  const { child } = watch('--fps', '60', 'coder');
  await until(() => running?.stdout.includes('"frame"'), SLOW);
  child.stdout?.pause();
  for (let n = 1; n <= 300; n++) {
    screen.draw(lines(n), { width: 200 });
    // The pace of a program that draws, not a wait.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // A pipe and its reader hold some 200 kB, ten frames.
  const before = running?.stdout.split('\n').length ?? 0;
  child.stdout?.resume();
  await until(() => running?.stdout.includes('"300 300 '), SLOW);
  expect((running?.stdout.split('\n').length ?? 0) - before).toBeLessThan(40);
});
