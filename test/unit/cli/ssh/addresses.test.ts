import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { candidateAddresses, isBeyondLoopback, loopbackAddress } from '../../../../src/cli/ssh/candidate-addresses.ts';

const address = (text: string, internal = false) => ({ address: text, internal }) as NetworkInterfaceInfo;
const interfaces = {
  lo: [address('127.0.0.1', true), address('::1', true)],
  eth0: [address('192.168.1.5'), address('2001:db8::5'), address('fe80::1')],
};
const facts = { advertised: [], sshConnection: '', interfaces, port: 7443 };

test('the way ssh came is tried first, then what is advertised, then our other addresses', () => {
  const sshConnection = '10.0.0.1 50000 10.0.0.2 22';
  expect(candidateAddresses({ ...facts, sshConnection, advertised: ['fleet.example:7443'] })).toEqual([
    '10.0.0.1:7443',
    'fleet.example:7443',
    '192.168.1.5:7443',
    '[2001:db8::5]:7443',
  ]);
});

test('each address is tried once, also when sshd reports it as mapped', () => {
  const sshConnection = '::ffff:192.168.1.5 50000 ::ffff:10.0.0.2 22';
  expect(candidateAddresses({ ...facts, sshConnection })).toEqual(['192.168.1.5:7443', '[2001:db8::5]:7443']);
});

test('a tunnel ends at the loopback side of the controller', () => {
  expect(loopbackAddress(['[::]:7443', '127.0.0.1:7443'])).toBe('127.0.0.1:7443');
  expect(loopbackAddress(['0.0.0.0:7000'])).toBe('127.0.0.1:7000');
  expect(loopbackAddress(['[::]:7000'])).toBe('127.0.0.1:7000');
  expect(loopbackAddress(['192.168.1.5:7443'])).toBeNull();
});

test('only an address beyond loopback counts as open', () => {
  expect(isBeyondLoopback(['127.0.0.1:7443', '[::1]:7443'])).toBe(false);
  expect(isBeyondLoopback(['127.0.0.1:7443', '[::]:7443'])).toBe(true);
});
