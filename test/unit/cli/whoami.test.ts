import { expect, test } from 'vitest';
import { whoAmILines } from '../../../src/cli/commands/whoami.ts';
import { resolvePaths } from '../../../src/runtime/paths.ts';
import type { WhoAmIResponse } from '../../../src/wire/gen/fleet/v1/view.ts';

const paths = resolvePaths({ instance: 'whoami', env: {} });
const answer = (over: Partial<WhoAmIResponse>): WhoAmIResponse => ({
  caller: { name: 'jwoltje', role: 'operator', tenantId: 'default', kind: 'host' },
  cell: 'home',
  host: 'dragon-lin',
  user: 'jwoltje',
  version: '1',
  upstream: undefined,
  verbs: ['enroll', 'report', 'read', 'send', 'lifecycle'],
  tenants: [],
  elsewhere: [],
  ...over,
});
const said = (over: Partial<WhoAmIResponse>) =>
  whoAmILines(paths, answer(over)).filter((line) => /^(may|elsewhere) /.test(line));

test('what a host’s callers may do to its own agents is told apart from what they may do to others', () => {
  expect(said({ elsewhere: ['read'] })).toEqual([
    'may         read send lifecycle',
    'elsewhere   read; an administrator widens it: fleet host allow dragon-lin',
  ]);
  expect(said({ elsewhere: ['read', 'send'] })).toEqual(['may         read send lifecycle', 'elsewhere   read send']);
});

test('whoever may ask nothing, is no host, or asks a controller that does not say, is told of no elsewhere', () => {
  expect(said({ verbs: ['report', 'enroll'], elsewhere: ['read'] })).toEqual(['may         nothing at the controller']);
  expect(said({})).toEqual(['may         read send lifecycle']);
  const maria = { name: 'maria', role: 'operator', tenantId: 'default', kind: 'operator' };
  expect(said({ caller: maria })).toEqual(['may         read send lifecycle']);
});
