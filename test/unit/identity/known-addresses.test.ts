import { expect, test } from 'vitest';
import { knownAddresses } from '../../../src/identity/known-addresses.ts';

const said = ['192.0.2.7:7443', '127.0.0.1:7443', '[::1]:7443'];

test('the controller’s loopback is not dialled from another machine', () => {
  expect(knownAddresses('192.0.2.7:7443', said, ['127.0.0.1:7443', 'old:7443'])).toEqual([
    '192.0.2.7:7443',
    'old:7443',
  ]);
  expect(knownAddresses('unix:/run/user/1000/fleet/uplink.sock', said, [])).toEqual([
    'unix:/run/user/1000/fleet/uplink.sock',
    '192.0.2.7:7443',
  ]);
});

test('beside the controller loopback stays, and stays first where it has worked', () => {
  expect(knownAddresses('127.0.0.1:7443', said, [])).toEqual(['127.0.0.1:7443', '192.0.2.7:7443', '[::1]:7443']);
});

test('the controller’s present addresses come before those it had, and there is an end to them', () => {
  expect(knownAddresses('a:1', ['c:1', 'a:1'], ['a:1', 'b:1'])).toEqual(['a:1', 'c:1', 'b:1']);
  const many = Array.from({ length: 40 }, (_, n) => `h${n}:1`);
  expect(knownAddresses('a:1', many, [])).toHaveLength(16);
});
