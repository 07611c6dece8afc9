import { expect, test } from 'vitest';
import { unlessSilent } from '../../../../src/cli/client/unless-silent.ts';
import { aborted } from '../../../../src/runtime/aborted.ts';

const STALL = { who: 'the host-agent', stallMs: 50 };
const never = new AbortController().signal;

test('a stream that says nothing is ended, in words that name who was silent and for how long', async () => {
  let wasEnded = false;
  const said: string[] = [];
  const reading = (async () => {
    const open = async function* (signal: AbortSignal) {
      yield 'one';
      await aborted(signal);
      wasEnded = true;
      throw signal.reason;
    };
    for await (const message of unlessSilent(STALL, never, open)) said.push(message);
  })();
  await expect(reading).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'the host-agent said nothing for 0.05 s',
  });
  expect([said, wasEnded]).toEqual([['one'], true]);
});

test('the time that a reader takes is not the service’s silence', async () => {
  let left = true;
  const open = async function* (signal: AbortSignal) {
    yield 'one';
    left = signal.aborted;
    yield 'two';
  };
  const said: string[] = [];
  for await (const message of unlessSilent(STALL, never, open)) {
    said.push(message);
    // Longer than it may be silent.
    if (message === 'one') await aborted(AbortSignal.timeout(STALL.stallMs * 3));
  }
  expect([said, left]).toEqual([['one', 'two'], false]);
});

test('whoever leaves leaves for a reason of their own', async () => {
  const leave = new AbortController();
  const open = async function* (signal: AbortSignal) {
    leave.abort(new Error('left'));
    await aborted(signal);
    yield Promise.reject(signal.reason);
  };
  const reading = unlessSilent(STALL, leave.signal, open).next();
  await expect(reading).rejects.toThrow('left');
});
