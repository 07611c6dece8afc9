import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OrderJournal } from '../../../../host-agent/command/journal.ts';
import type { OrderStart } from '../../../../host-agent/command/order-record.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-journal-'));
  path = join(folder, 'orders.journal');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const opened = async (maxOrders = 100): Promise<OrderJournal> => {
  const journal = new OrderJournal({ path, maxOrders, nowMs: () => 5_000 });
  await journal.start();
  return journal;
};

const order = (id: string, digest = 'd'): OrderStart => ({
  id,
  verb: 'send',
  address: 'home/w/j/a',
  key: 'roster:a',
  paneId: '%1',
  panePid: 7,
  digest,
  actor: 'local:j',
  beganMs: 1_000,
});

/** Received, announced and accepted. */
const runThrough = async (journal: OrderJournal, id: string): Promise<void> => {
  await journal.received(order(id));
  await journal.stage(id, 'typing');
  await journal.stage(id, 'submitted');
  await journal.end(id, 'accepted', '');
};

test('what the next process can still find out stays open for it; the rest is unknown', async () => {
  const first = await opened();
  await first.received({ ...order('a'), verb: 'stop' });
  await first.stage('a', 'typing');
  await first.received(order('b'));
  await first.stage('b', 'typing');
  await first.received({ ...order('c'), verb: 'stop' });
  await first.stop();
  const next = new OrderJournal({ path, maxOrders: 100, nowMs: () => 5_000, staysOpen: (verb) => verb === 'stop' });
  await next.start();
  expect(next.open().map(({ id }) => id)).toEqual(['a']);
  expect([next.get('a')?.outcome, next.get('b')?.outcome, next.get('c')]).toEqual([null, 'unknown', undefined]);
  await next.stop();
});

test('what was over is told the same by the next process', async () => {
  const first = await opened();
  await runThrough(first, 'a');
  const told = { ...first.get('a') };
  await first.stop();
  expect((await opened()).get('a')).toEqual(told);
});

test('cut off at any byte: what was announced is never taken for not begun, what was over stays so', async () => {
  const first = await opened();
  await runThrough(first, 'a');
  await first.stop();
  const whole = readFileSync(path);
  const at = (text: string): number => whole.indexOf(text);
  const announced = whole.indexOf('\n', at('"stage":"typing"'));
  const ended = whole.indexOf('\n', at('"is":"end"'));
  for (let length = 0; length <= whole.length; length += 1) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    const journal = await opened();
    const outcome = journal.get('a')?.outcome;
    await journal.stop();
    const expected = length >= ended ? 'accepted' : length >= announced ? 'unknown' : undefined;
    expect(outcome, `${length} of ${whole.length} bytes`).toBe(expected);
  }
});

test('a stage whose order was lost still keeps its id from being typed again', async () => {
  writeFileSync(path, 'gone bad{\n{"is":"stage","id":"a","stage":"typing"}\n');
  const journal = await opened();
  expect(journal.get('a')).toMatchObject({ outcome: 'unknown', digest: '' });
});

test('what was received and not announced may be given again', async () => {
  const first = await opened();
  await first.received(order('a'));
  await first.stop();
  expect((await opened()).get('a')).toBeUndefined();
});

test('a torn last line does not spoil the lines after it', async () => {
  const first = await opened();
  await runThrough(first, 'a');
  await first.stop();
  appendFileSync(path, '{"is":"order","id":"b","ver');
  const second = await opened();
  await runThrough(second, 'c');
  await second.stop();
  const third = await opened();
  expect(['a', 'b', 'c'].map((id) => third.get(id)?.outcome)).toEqual(['accepted', undefined, 'accepted']);
});

test('the file is its user’s alone, also where it was open before', async () => {
  writeFileSync(path, '', { mode: 0o644 });
  await opened();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('digests differ between hosts and between requests, and outlive the process', async () => {
  const first = await opened();
  const digest = first.digestOf(['send', 'text']);
  expect(first.digestOf(['send', 'other'])).not.toBe(digest);
  await first.stop();
  expect((await opened()).digestOf(['send', 'text'])).toBe(digest);
  rmSync(path);
  expect((await opened()).digestOf(['send', 'text'])).not.toBe(digest);
});

test('it keeps a bounded number of orders and bytes, and forgets none that is under way', async () => {
  const journal = await opened(10);
  await journal.received(order('under-way'));
  await journal.stage('under-way', 'typing');
  for (let count = 0; count < 300; count += 1) await runThrough(journal, `o${count}`);
  expect(journal.get('under-way')?.stage).toBe('typing');
  expect(journal.get('o0')).toBeUndefined();
  expect(journal.get('o299')?.outcome).toBe('accepted');
  await journal.stop();
  expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThan(120);
  const next = await opened(10);
  expect(next.get('under-way')?.outcome).toBe('unknown');
  expect(next.get('o299')?.outcome).toBe('accepted');
});

test('where it cannot be written, announcing rejects', async () => {
  const journal = await opened();
  await journal.stop();
  await expect(journal.stage('a', 'typing')).rejects.toThrow('closed');
});
