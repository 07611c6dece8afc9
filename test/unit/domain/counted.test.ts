import { expect, test } from 'vitest';
import { counted } from '../../../src/domain/counted.ts';

test('one is one, and any other number many', () => {
  expect([0, 1, 2].map((count) => counted(count, 'agent'))).toEqual(['0 agents', '1 agent', '2 agents']);
});
