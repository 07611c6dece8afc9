import { expect, test } from 'vitest';
import { reachableFrom } from '../../../host-agent/enrollment/join.ts';

test('the loopback of another machine is not kept as an address of the controller', () => {
  expect(reachableFrom(['10.0.0.1:7443', '127.0.0.1:7443', '10.0.0.1:7443', '[::1]:7443'])).toEqual(['10.0.0.1:7443']);
  expect(reachableFrom(['unix:/run/x', '127.0.0.1:7443'])).toEqual(['unix:/run/x']);
});

test('on the controller’s own machine loopback is what works', () => {
  expect(reachableFrom(['127.0.0.1:7443', '10.0.0.1:7443'])).toEqual(['127.0.0.1:7443', '10.0.0.1:7443']);
});
