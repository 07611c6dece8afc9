import { expect, test } from 'vitest';
import { RevisionLog } from '../../../src/view/revision-log.ts';

const told = (log: RevisionLog<number>, since: bigint) =>
  [...log.since(since)].map((change) => (change.removed ? `-${change.key}` : `${change.key}=${change.value}`));

test('a reader from nothing gets every key once, with its newest value, in order of change', () => {
  const log = new RevisionLog<number>();
  log.set('a', 1);
  log.set('b', 2);
  log.set('a', 3);
  expect(told(log, 0n)).toEqual(['b=2', 'a=3']);
});

test('a reader from a revision gets only what changed since, removals included', () => {
  const log = new RevisionLog<number>();
  log.set('a', 1);
  log.set('b', 2);
  const seen = log.revision;
  log.set('c', 3);
  log.delete('a');
  expect(told(log, seen)).toEqual(['c=3', '-a']);
  expect(told(log, log.revision)).toEqual([]);
});

test('a key that comes back is no longer told as removed', () => {
  const log = new RevisionLog<number>();
  log.set('a', 1);
  const seen = log.revision;
  log.delete('a');
  log.set('a', 2);
  expect(told(log, seen)).toEqual(['a=2']);
});

test('a reader older than the forgotten removals is told that it is too old', () => {
  const log = new RevisionLog<number>({ maxRemovals: 2 });
  for (const key of ['a', 'b', 'c', 'd']) log.set(key, 0);
  const seen = log.revision;
  log.delete('a');
  log.delete('b');
  expect(log.reaches(seen)).toBe(true);
  log.delete('c');
  expect(log.reaches(seen)).toBe(false);
  expect(log.reaches(0n)).toBe(true);
  expect(log.reaches(log.revision + 1n)).toBe(false);
});
