import { expect, test } from 'vitest';
import { callerNetwork, isLoopbackAddress } from '../../../src/runtime/caller-network.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
  ['2001:DB8::5', '2001:db8:0:0::/64'],
  ['2001:db8:0:1::', '2001:db8:0:1::/64'],
  ['[2001:db8::1:0:0:0:1]', '2001:db8:0:1::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['undefined', 'undefined'],
  ['1::2::3', '1::2::3'],
  ['2001:db8:12345::', '2001:db8:12345::'],
])('%s is counted as %s', (address, network) => {
  expect(callerNetwork(address)).toBe(network);
});

test('loopback is that of either family, mapped or not', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    expect(isLoopbackAddress(address)).toBe(true);
  }
  for (const address of ['128.0.0.1', '::2', '::ffff:192.0.2.1', '1::1'])
    expect(isLoopbackAddress(address)).toBe(false);
});
