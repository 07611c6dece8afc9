import { expect, test } from 'vitest';
import { type AddressTarget, formatAddress, parseAddress, resolveAddress } from '../../../src/domain/address.ts';

const target = (cell: string, host: string, user: string, agent: string, here = false): AddressTarget => ({
  cell,
  host,
  user,
  agent,
  here,
});

test.each([
  ['coder0-0', 'coder0-0'],
  ['a/b', 'a%2Fb'],
  ['50%', '50%25'],
  ['two words', 'two%20words'],
  ['a\u00a0b', 'a%C2%A0b'],
  ['esc\x1b[0m', 'esc%1B[0m'],
  ['line\nend', 'line%0Aend'],
  ['c1\x9b', 'c1%C2%9B'],
  ['rtl\u202e', 'rtl%E2%80%AE'],
  ['joined\u200d', 'joined%E2%80%8D'],
  ['mosaic:coder', 'mosaic:coder'],
  ['日本🚀', '日本🚀'],
  ['half\ud800', 'half\ufffd'],
])('agent %j is written %s and read back as it was', (agent, written) => {
  const address = formatAddress({ cell: 'home', host: 'h', user: 'u', agent });
  expect(address).toBe(`home/h/u/${written}`);
  expect(parseAddress(address)).toMatchObject({ qualifiers: ['home', 'h', 'u'], agent: agent.toWellFormed() });
});

test.each([
  ['', /empty part/],
  ['a//b', /empty part/],
  ['host/', /empty part/],
  ['a/b/c/d/e', /5 parts/],
  ['50%', /bad %-code/],
  ['a%zz', /bad %-code/],
  ['a%ff', /bad %-code/],
])('%j is refused with a reason', (text, reason) => {
  expect(() => parseAddress(text)).toThrow(reason);
});

const fleet = [
  target('home', 'W-jarvis', 'jarvis', 'canary-pi', true),
  target('home', 'W-jarvis', 'jarvis', 'coder0-0', true),
  target('home', 'dragon-lin', 'jwoltje', 'coder0-0'),
  target('home', 'dragon-lin', 'jwoltje', 'solo'),
  target('home', 'dragon-lin', 'jwoltje', 'a:twice'),
  target('home', 'dragon-lin', 'jwoltje', 'b:twice'),
  target('away', 'far', 'me', 'peered'),
];
const look = { homeCell: 'home', complete: true, intent: 'look' } as const;
const resolve = (text: string, scope: Parameters<typeof resolveAddress>[2] = look): string =>
  formatAddress(resolveAddress(parseAddress(text), fleet, scope));

test.each([
  ['canary-pi', 'home/W-jarvis/jarvis/canary-pi'],
  ['dragon-lin/coder0-0', 'home/dragon-lin/jwoltje/coder0-0'],
  ['jwoltje/coder0-0', 'home/dragon-lin/jwoltje/coder0-0'],
  ['home/jwoltje/coder0-0', 'home/dragon-lin/jwoltje/coder0-0'],
  ['home/W-jarvis/jarvis/coder0-0', 'home/W-jarvis/jarvis/coder0-0'],
  ['peered', 'away/far/me/peered'],
  ['a:twice', 'home/dragon-lin/jwoltje/a:twice'],
])('%s means %s', (text, full) => {
  expect(resolve(text)).toBe(full);
});

test('an ambiguous name lists all that it may mean', () => {
  expect(() => resolve('coder0-0')).toThrow(
    '"coder0-0" means 2 agents: home/W-jarvis/jarvis/coder0-0, home/dragon-lin/jwoltje/coder0-0',
  );
  expect(() => resolve('home/coder0-0')).toThrow(/means 2 agents/);
});

test.each([
  ['jarvis/W-jarvis/canary-pi', /there is home\/W-jarvis\/jarvis\/canary-pi/],
  ['dragon-lin/canary-pi', /there is home\/W-jarvis/],
  ['twice', /several sockets: home\/dragon-lin\/jwoltje\/a:twice, home\/dragon-lin\/jwoltje\/b:twice/],
  ['nobody', /fleet ps lists them/],
])('%s is not found, and says what is there', (text, words) => {
  expect(() => resolve(text)).toThrow(words);
});

const change = { homeCell: 'home', complete: true, intent: 'change' } as const;
const destroy = { ...change, intent: 'destroy' } as const;

test('a change never reaches a peer without its cell', () => {
  expect(() => resolve('peered', change)).toThrow(/another cell only.*away\/far\/me\/peered/);
  expect(() => resolve('far/peered', change)).toThrow(/another cell only/);
  expect(resolve('away/peered', change)).toBe('away/far/me/peered');
});

test('in a partial view a bare name of a change is only for this machine', () => {
  const partial = { ...change, complete: false };
  expect(resolve('coder0-0', partial)).toBe('home/W-jarvis/jarvis/coder0-0');
  expect(() => resolve('solo', partial)).toThrow(/write home\/dragon-lin\/jwoltje\/solo/);
  expect(resolve('dragon-lin/solo', partial)).toBe('home/dragon-lin/jwoltje/solo');
  expect(resolve('solo', change)).toBe('home/dragon-lin/jwoltje/solo');
});

test('what destroys elsewhere needs its host', () => {
  expect(() => resolve('solo', destroy)).toThrow(/on another machine: write/);
  expect(() => resolve('jwoltje/solo', destroy)).toThrow(/on another machine: write/);
  expect(resolve('dragon-lin/solo', destroy)).toBe('home/dragon-lin/jwoltje/solo');
  expect(resolve('canary-pi', destroy)).toBe('home/W-jarvis/jarvis/canary-pi');
});
