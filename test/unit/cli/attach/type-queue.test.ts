import { expect, test } from 'vitest';
import { TypeQueue } from '../../../../src/cli/attach/type-queue.ts';
import { FleetError } from '../../../../src/domain/errors.ts';
import { checkStrokes, type KeyStroke } from '../../../../src/domain/key-stroke.ts';

/** A host that answers when told to. */
class SlowHost {
  readonly batches: { sequence: bigint; strokes: KeyStroke[]; answer: (error?: Error) => void }[] = [];
  room = 0;
  readonly leaving = new AbortController();
  readonly queue = new TypeQueue({
    signal: this.leaving.signal,
    onRoom: () => {
      this.room += 1;
    },
    send: (sequence, strokes) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      checkStrokes(strokes);
      this.batches.push({ sequence, strokes, answer: (error) => (error ? reject(error) : resolve()) });
      return promise;
    },
  });

  async answer(error?: Error): Promise<void> {
    this.batches.at(-1)?.answer(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

test('the first stroke goes at once, what is typed meanwhile goes together, one batch at a time', async () => {
  const host = new SlowHost();
  host.queue.push([{ text: 'a' }]);
  await soon();
  expect(host.batches).toMatchObject([{ sequence: 1n, strokes: [{ text: 'a' }] }]);
  host.queue.push([{ text: 'b' }]);
  host.queue.push([{ text: 'c' }, { key: 'Enter' }]);
  host.queue.push([{ text: 'd' }]);
  await soon();
  expect(host.batches).toHaveLength(1);
  await host.answer();
  expect(host.batches[1]).toMatchObject({ sequence: 2n, strokes: [{ text: 'bc' }, { key: 'Enter' }, { text: 'd' }] });
  await host.answer();
  await host.queue.settled();
  host.queue.push([{ key: 'Up' }]);
  await soon();
  expect(host.batches[2]).toMatchObject({ sequence: 3n, strokes: [{ key: 'Up' }] });
});

test('a batch whose answer was lost goes again under its number', async () => {
  const host = new SlowHost();
  host.queue.push([{ text: 'a' }]);
  await soon();
  await host.answer(new FleetError('UNAVAILABLE', 'cut'));
  await expect.poll(() => host.batches.length).toBe(2);
  expect(host.batches.map(({ sequence, strokes }) => [sequence, strokes])).toEqual([
    [1n, [{ text: 'a' }]],
    [1n, [{ text: 'a' }]],
  ]);
  await host.answer();
  await host.queue.settled();
});

test('after a refusal nothing more is typed', async () => {
  const host = new SlowHost();
  host.queue.push([{ text: 'a' }]);
  await soon();
  host.queue.push([{ text: 'b' }]);
  await host.answer(new FleetError('FAILED_PRECONDITION', 'this takeover has ended'));
  await expect(host.queue.failed).rejects.toThrow('this takeover has ended');
  host.queue.push([{ text: 'c' }]);
  await soon();
  expect(host.batches).toHaveLength(1);
});

test('whoever pastes a novel waits for room, and every batch is one that a host takes', async () => {
  const host = new SlowHost();
  const paste = 'x'.repeat(200_000);
  host.queue.push([{ text: 'a' }]);
  await soon();
  for (let count = 0; count < 6; count += 1) host.queue.push([{ paste }]);
  expect(host.queue.isFull).toBe(true);
  for (let count = 0; count < 3; count += 1) await host.answer();
  expect(host.room).toBe(1);
  expect(host.queue.isFull).toBe(false);
  host.queue.push(Array.from({ length: 3_000 }, (): KeyStroke => ({ key: 'Up' })));
  for (let count = 0; count < 10; count += 1) await host.answer();
  await host.queue.settled();
  const typed = host.batches.flatMap(({ strokes }) => strokes);
  expect(typed.filter((stroke) => 'key' in stroke)).toHaveLength(3_000);
  expect(typed.filter((stroke) => 'paste' in stroke)).toHaveLength(6);
});

test('who left sends nothing more', async () => {
  const host = new SlowHost();
  host.queue.push([{ text: 'a' }]);
  await soon();
  host.queue.push([{ text: 'b' }]);
  host.leaving.abort();
  await host.answer();
  await host.queue.settled();
  expect(host.batches).toHaveLength(1);
});
