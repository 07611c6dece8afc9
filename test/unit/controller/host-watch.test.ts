import { afterEach, expect, test } from 'vitest';
import { HostWatch } from '../../../controller/terminal/host-watch.ts';
import type { CallOptions, HostCalls } from '../../../controller/uplink/host-calls.ts';
import { FleetError } from '../../../src/domain/errors.ts';
import { Listeners } from '../../../src/runtime/listeners.ts';
import type { WatchTerminalResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { until } from '../../helpers/until.ts';

const ME = { actor: 'me', name: 'me', kind: 'operator', role: 'admin', tenantId: '', federated: false };
const FULL = new FleetError('RESOURCE_EXHAUSTED', 'as many calls as may');

interface Asked {
  minIntervalMs: number;
  signal: AbortSignal;
  answer(detail: string): void;
  fail(error: Error): void;
}

let stop = (): void => undefined;
afterEach(() => stop());

/** One watch of a host that the test plays; `shown` is what came of it. */
const watched = () => {
  const wanted = { intervalMs: 1_000 };
  const asked: Asked[] = [];
  const shown: string[] = [];
  type OnMessage = (message: WatchTerminalResponse, bytes: number, taken: () => void) => void;
  type Request = { minIntervalMs: number };
  const stream = (_: string, __: string, { minIntervalMs }: Request, { signal }: CallOptions, onMessage: OnMessage) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      const answer = (detail: string): void => {
        onMessage({ end: { reason: 'session_ended', detail, lastExit: undefined } }, 1, () => undefined);
      };
      asked.push({ minIntervalMs, signal, answer, fail: reject });
    });
  const returns = new Listeners<[id: string]>();
  const watch = new HostWatch({
    hostAgent: 'h/u',
    key: 'a',
    calls: { stream } as unknown as HostCalls,
    tunnels: { onChange: (told) => returns.add(told) },
    watchers: { names: () => [], onChange: (told) => new Listeners().add(told) },
    wish: () => ({ caller: ME, minIntervalMs: wanted.intervalMs }),
    take: ({ end }) => shown.push(end?.detail ?? ''),
    broke: ({ code }) => {
      shown.push(code);
      return true;
    },
  });
  stop = () => watch.stop();
  watch.start();
  const hurry = (intervalMs: number): void => {
    wanted.intervalMs = intervalMs;
    watch.hurry();
  };
  const call = (index: number): Asked => asked[index] as Asked;
  return { hurry, asked, call, shown };
};

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('the slower call goes on until the faster one shows something', async () => {
  const { hurry, asked, call, shown } = watched();
  call(0).answer('slow');
  hurry(100);
  hurry(100);
  call(0).answer('slow still');
  expect([asked.length, call(0).signal.aborted]).toEqual([2, false]);
  call(1).answer('fast');
  call(0).answer('too late');
  await settled();
  expect([shown, call(0).signal.aborted]).toEqual([['slow', 'slow still', 'fast'], true]);
});

test('a faster call that is refused ends nothing, and is asked for again', async () => {
  const { hurry, asked, call, shown } = watched();
  hurry(100);
  call(1).fail(FULL);
  await settled();
  call(0).answer('slow still');
  expect([shown, call(0).signal.aborted]).toEqual([['slow still'], false]);
  await until(() => asked.length === 3, { timeoutMs: 5_000 });
  expect(call(2).minIntervalMs).toBe(100);
});

test('a faster call takes the place of one that breaks meanwhile, and is the last to be told of', async () => {
  const { hurry, call, shown } = watched();
  hurry(100);
  call(0).fail(FULL);
  await settled();
  call(1).answer('fast');
  call(1).fail(FULL);
  await settled();
  expect(shown).toEqual(['fast', 'RESOURCE_EXHAUSTED']);
});

test('one that is wanted faster still replaces the one that has shown nothing, and the end is the end of all', async () => {
  const { hurry, call, shown } = watched();
  hurry(100);
  hurry(10);
  expect([0, 1, 2].map((index) => call(index).signal.aborted)).toEqual([false, true, false]);
  stop();
  await settled();
  expect([0, 1, 2].map((index) => call(index).signal.aborted)).toEqual([true, true, true]);
  expect(shown).toEqual([]);
});
