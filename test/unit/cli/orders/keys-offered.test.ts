import { expect, test } from 'vitest';
import { orderSpecs } from '../../../../src/cli/commands/order-specs.ts';
import { keyNames } from '../../../../src/domain/key-names.ts';

const offered = orderSpecs.find(({ name }) => name === 'keys')?.words?.KEY ?? [];

test.each(offered)('the key %s that completion offers is one that a host presses', (key) => {
  expect(keyNames([key])).toEqual([key]);
});

test('help names them all', () => {
  expect(offered.length).toBeGreaterThan(20);
  expect(orderSpecs.find(({ name }) => name === 'keys')?.notes).toContain(offered.join(' '));
});
