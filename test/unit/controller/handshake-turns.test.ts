import { expect, test } from 'vitest';
import { HandshakeTurns, type TurnLimits } from '../../../controller/grpc/handshake-turns.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 5_000 };

const LIMITS: TurnLimits = {
  handshakesPerTurn: 1,
  maxHandshakesAtOnce: 100,
  slowHandshakeMs: 50,
  maxHandshakeWaitMs: 1_000,
};

const open = (over: Partial<TurnLimits> = {}) => {
  const moment = { mono: 0 };
  const seen: string[] = [];
  const turns = new HandshakeTurns<string>({
    clock: { monotonicMs: () => moment.mono },
    limits: { ...LIMITS, ...over },
    begin: (one) => seen.push(one),
    letGo: (one) => seen.push(`${one} let go`),
  });
  return { turns, seen, moment };
};

/** What was seen at the end of each turn of the loop. */
const turnByTurn = async (seen: readonly string[], turns: number): Promise<number[]> => {
  const counts: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    counts.push(seen.length);
  }
  return counts;
};

test('a crowd is begun a few in each turn of the loop, oldest first', async () => {
  const { turns, seen } = open({ handshakesPerTurn: 2 });
  for (const one of ['a', 'b', 'c', 'd', 'e']) turns.add(one, 'there');
  expect(seen).toEqual([]);
  expect(await turnByTurn(seen, 3)).toEqual([2, 4, 5]);
  expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('whoever waited too long is let go and costs no turn', async () => {
  const { turns, seen, moment } = open();
  turns.add('old', 'there');
  turns.add('older than it should be', 'there');
  moment.mono = 1_001;
  turns.add('new', 'there');
  await until(() => seen.length === 3, SOON);
  expect(seen).toEqual(['old let go', 'older than it should be let go', 'new']);
});

test('one that left by itself is not begun, and nobody after the end', async () => {
  const { turns, seen } = open();
  for (const one of ['a', 'b', 'c']) turns.add(one, 'there');
  turns.remove('a');
  expect(await turnByTurn(seen, 1)).toEqual([1]);
  turns.stop();
  expect(await turnByTurn(seen, 3)).toEqual([1, 1, 1]);
  expect(seen).toEqual(['b']);
});

test('what was begun ends before more begins', async () => {
  const { turns, seen } = open({ maxHandshakesAtOnce: 2, slowHandshakeMs: 60_000 });
  for (const one of ['a', 'b', 'c', 'd', 'e']) turns.add(one, 'there');
  expect(await turnByTurn(seen, 4)).toEqual([1, 2, 2, 2]);
  turns.remove('a');
  expect(await turnByTurn(seen, 2)).toEqual([3, 3]);
  turns.remove('b');
  turns.remove('c');
  expect(await turnByTurn(seen, 3)).toEqual([4, 5, 5]);
  turns.stop();
});

test('one that is slow holds up the others for a while only', async () => {
  const { turns, seen, moment } = open({ maxHandshakesAtOnce: 1 });
  for (const one of ['slow', 'b']) turns.add(one, 'there');
  expect(await turnByTurn(seen, 3)).toEqual([1, 1, 1]);
  moment.mono = LIMITS.slowHandshakeMs;
  await until(() => seen.length === 2, SOON);
  expect(seen).toEqual(['slow', 'b']);
});

test('whoever waits too long is let go while others are slow, too', async () => {
  const { turns, seen, moment } = open({ maxHandshakesAtOnce: 1, maxHandshakeWaitMs: 10, slowHandshakeMs: 20 });
  for (const one of ['slow', 'late']) turns.add(one, 'there');
  expect(await turnByTurn(seen, 2)).toEqual([1, 1]);
  moment.mono = 11;
  await until(() => seen.length === 2, SOON);
  expect(seen).toEqual(['slow', 'late let go']);
});

test('addresses take turns, of each the oldest first', async () => {
  const { turns, seen } = open();
  for (const one of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) turns.add(one, one.slice(0, 1));
  expect(await turnByTurn(seen, 7)).toEqual([1, 2, 3, 4, 5, 6, 6]);
  expect(seen).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});

test('silent ones of a few addresses hold up nobody of another', async () => {
  const { turns, seen } = open({ maxHandshakesAtOnce: 16, handshakesPerTurn: 16, slowHandshakeMs: 60_000 });
  for (const address of ['w', 'x', 'y', 'z']) {
    for (let n = 0; n < 128; n++) turns.add(`${address}${n}`, address);
  }
  expect(await turnByTurn(seen, 3)).toEqual([8, 8, 8]);
  turns.add('honest', 'elsewhere');
  await turnByTurn(seen, 1);
  expect(seen.slice(8)).toEqual(['honest']);
  turns.remove('honest');
  turns.remove('w0');
  await turnByTurn(seen, 2);
  expect(seen.slice(9)).toEqual(['w2']);
  turns.stop();
});

test('one address alone may begin as many as there are, and goes on with its share when another comes', async () => {
  const { turns, seen } = open({ maxHandshakesAtOnce: 8, handshakesPerTurn: 8, slowHandshakeMs: 60_000 });
  for (let n = 0; n < 20; n++) turns.add(`a${n}`, 'a');
  expect(await turnByTurn(seen, 2)).toEqual([8, 8]);
  for (let n = 0; n < 3; n++) turns.add(`b${n}`, 'b');
  for (let n = 0; n < 3; n++) turns.remove(`a${n}`);
  await turnByTurn(seen, 2);
  expect(seen.slice(8)).toEqual(['b0']);
  turns.stop();
});

test('those of this host have no share that they may not exceed', async () => {
  const { turns, seen } = open({ maxHandshakesAtOnce: 16, handshakesPerTurn: 16, slowHandshakeMs: 60_000 });
  for (let n = 0; n < 20; n++) turns.add(`far${n}`, 'far');
  for (let n = 0; n < 20; n++) turns.add(`near${n}`, null);
  expect(await turnByTurn(seen, 2)).toEqual([16, 16]);
  expect(seen.filter((one) => one.startsWith('near'))).toHaveLength(14);
  turns.stop();
});
