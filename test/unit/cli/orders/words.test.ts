import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { checkOrderId, orderId } from '../../../../src/cli/orders/order-id.ts';
import { shellLine } from '../../../../src/cli/orders/shell-word.ts';
import { spanMs, spanText } from '../../../../src/cli/orders/time-span.ts';
import { UsageError } from '../../../../src/cli/usage-error.ts';
import { shellWord } from '../../../../src/runtime/quote.ts';

const BOUNDS = { leastMs: 1_000, mostMs: 3_600_000 };

test.each([
  ['1500ms', 1_500],
  ['90s', 90_000],
  ['90', 90_000],
  ['15m', 900_000],
  ['1h', 3_600_000],
])('%s is a span of time', (text, ms) => {
  expect(spanMs('timeout', text, BOUNDS)).toBe(ms);
});

test.each(['0', '999ms', '61m', '2h', '-5s', '1.5m', 'soon', '1d', '', '99999999999'])('%j is none', (text) => {
  expect(() => spanMs('timeout', text, BOUNDS)).toThrow(UsageError);
});

test('the refusal names the flag and the bounds', () => {
  expect(() => spanMs('timeout', '2h', BOUNDS)).toThrow('--timeout "2h": 1s to 1h, as 90s or 15m');
  expect([spanText(90_000), spanText(120_000), spanText(1_500)]).toEqual(['90s', '2m', '1500ms']);
});

test.each(['a', 'A1_.:-', 'x'.repeat(128)])('%s may name an order', (id) => expect(orderId(id)).toBe(id));

test.each(['', '-a', 'a b', 'a/b', 'ä', 'x'.repeat(129), 'a\n'])('%j may not', (id) => {
  expect(() => checkOrderId(id)).toThrow(UsageError);
});

test('without a name each order has one of its own', () => expect(orderId(undefined)).not.toBe(orderId(undefined)));

test.each(['plain/word', '', 'a b', "it's", '$(id)', '`id`', 'a;b&c|d', '"', '\\', '*', '~root', '!x', '#x', 'ü'])(
  'a shell reads %j as one word',
  (word) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word);
  },
);

test('a word that would be shown as another is not offered', () => {
  expect(shellLine('fleet', 'watch', 'a b')).toBe("fleet watch 'a b'");
  for (const word of ['a\nb', 'a\u202eb', 'a\u00a0b', '']) expect(shellLine('fleet', word)).toBeNull();
});
