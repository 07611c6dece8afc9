import { expect, it } from 'vitest';
import { endedOrderFromWire } from '../../../src/wire/ended-order.ts';

const order = { id: 'o-1', agent: 'coder 0/0', verb: 'send', outcome: 'queued-by-agent' };

it('a word of a newer version passes as it is; what could be a text does not', () => {
  expect(endedOrderFromWire({ ...order, verb: 'twirl', agent: '' })).toMatchObject({ verb: 'twirl' });
  const none = [
    { id: '' },
    { id: 'a b' },
    { agent: 'x'.repeat(129) },
    { verb: '' },
    { verb: 'rm -rf' },
    { outcome: 'a'.repeat(33) },
  ];
  for (const over of none) {
    expect(() => endedOrderFromWire({ ...order, ...over }), JSON.stringify(over)).toThrow(/an id, a verb/);
  }
});
