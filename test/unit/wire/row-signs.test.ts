import { expect, test } from 'vitest';
import { isSameMark, markOf } from '../../../src/domain/agent-changes.ts';
import { decodeAgentRow, encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { rowKeyOf, rowSignsOf } from '../../../src/wire/row-signs.ts';
import { typicalRow } from '../../bench/swarm/typical-row.ts';
import { agentRow } from '../../helpers/agent-row.ts';

const typical = typicalRow('h', 3, 7, 1_700_000_000_000);
const tmux = typical.tmux;
const attention = { id: 'p-1', need: 'choose', sinceMs: 5, rule: 'r', summary: 'Do it?' };

test.each([
  ['a row of the roster that was never started', agentRow({ key: 'a' })],
  ['a typical row', typical],
  ['one that waits', agentRow({ key: 'a', readiness: 'available', writer: 'jane', watchers: 3 })],
  ['a blocked one', { ...typical, readiness: 'stuck' as const, attention, flags: ['DRIFT', 'STALE'] }],
  ['a dead pane', { ...typical, tmux: tmux && { ...tmux, dead: true, pid: null } }],
  ['a pane with a large number', { ...typical, tmux: tmux && { ...tmux, pid: 4_194_304, title: 'ü'.repeat(400) } }],
  ['one that is gone', agentRow({ key: 'a', flags: ['MISSING'], tmux: null })],
])('%s makes the same mark as when it is read as a whole', (_, row) => {
  const bytes = encodeAgentRow(row);
  const whole = markOf(decodeAgentRow(bytes), null);
  expect(markOf(rowSignsOf(bytes), null)).toEqual(whole);
  expect(isSameMark(markOf(rowSignsOf(bytes), null), whole)).toBe(true);
});

test('what a newer version adds is passed over, and what is no message is said', () => {
  const bytes = encodeAgentRow(typical);
  const newer = Buffer.concat([Buffer.from([0xfa, 0x06, 2, 0x68, 0x69]), bytes]);
  expect(rowSignsOf(newer)).toEqual(rowSignsOf(bytes));
  expect(() => rowSignsOf(bytes.subarray(0, bytes.length - 1))).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

test('two marks are the same where nothing differs', () => {
  const mark = markOf(typical, null);
  expect(isSameMark(mark, { ...mark })).toBe(true);
  expect(isSameMark(mark, { ...mark, pid: 1 })).toBe(false);
  expect(isSameMark(mark, null)).toBe(false);
  expect(isSameMark(null, null)).toBe(true);
});

test('a key is told of what the codec takes for a row, and of nothing else', () => {
  const bytes = encodeAgentRow(agentRow({ key: 'a', attention, tmux }));
  const keyOf = (read: () => string): string => {
    try {
      return read();
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  for (let at = 0; at < bytes.length; at += 1) {
    for (const wrong of [0x00, 0x7f, 0x80, 0xff - (bytes[at] as number)]) {
      const mangled = Buffer.from(bytes);
      mangled[at] = wrong;
      for (const one of [mangled, mangled.subarray(0, at)]) {
        expect(keyOf(() => rowKeyOf(one))).toBe(keyOf(() => decodeAgentRow(one).key));
      }
    }
  }
});
