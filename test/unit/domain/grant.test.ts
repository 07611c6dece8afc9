import { describe, expect, test } from 'vitest';
import { globMatcher } from '../../../src/domain/glob.ts';
import {
  type AgentPlace,
  compileGrants,
  GRANT_VERBS,
  type GrantTerms,
  type GrantVerb,
  grantStatus,
} from '../../../src/domain/grant.ts';

const terms = (over: Partial<GrantTerms> = {}): GrantTerms => ({
  id: 'g1',
  tenants: ['acme'],
  hosts: ['dragon-*'],
  agents: ['coder*'],
  verbs: ['observe', 'send'],
  rowLimit: 10,
  ...over,
});
const place = (over: Partial<AgentPlace> = {}): AgentPlace => ({
  tenantId: 'acme',
  host: 'dragon-lin',
  user: 'ada',
  agent: 'coder0-0',
  ...over,
});

describe('patterns', () => {
  test.each([
    ['*', '', true],
    ['*', 'a/b c', true],
    ['coder', 'coder', true],
    ['coder', 'coder0', false],
    ['coder', 'xcoder', false],
    ['coder*', 'coder', true],
    ['*-0', 'coder0-0', true],
    ['c*r*-0', 'coder0-0', true],
    ['c*r*-0', 'coder0-1', false],
    ['a**b', 'ab', true],
    ['?', '', false],
    ['?', 'a', true],
    ['?', '😀', true],
    ['coder?', 'coder', false],
    ['coder?-?', 'coder0-0', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['a*b*c', 'a-b-c', true],
    ['a*bc*bc', 'abc', false],
    ['*b*', 'abc', true],
    ['?*?', '😀', false],
    ['*??', '😀', false],
    ['a*?c', 'a😀c', true],
    ['', '', true],
    ['', 'a', false],
    ['Coder', 'coder', false],
  ])('%s of %s is %s', (pattern, text, is) => expect(globMatcher(pattern)(text)).toBe(is));

  test('a name that was made to be slow to match is matched all the same', () => {
    expect(globMatcher(`${'*a'.repeat(60)}b`)('a'.repeat(4_096))).toBe(false);
    expect(globMatcher(`${'*a?'.repeat(40)}b`)('a'.repeat(4_096))).toBe(false);
  });
});

describe('what a grant allows', () => {
  test.each<[string, Partial<GrantTerms>, Partial<AgentPlace>, GrantVerb, boolean]>([
    ['what all of its terms cover', {}, {}, 'send', true],
    ['no verb that it does not name', {}, {}, 'watch', false],
    ['no other tenant', {}, { tenantId: 'other' }, 'send', false],
    ['a tenant is a name, no pattern', { tenants: ['*'] }, {}, 'send', false],
    ['no other host', {}, { host: 'W-jarvis' }, 'send', false],
    ['no other agent', {}, { agent: 'notes' }, 'send', false],
    ['any user where none is named', {}, { user: 'root' }, 'send', true],
    ['that user alone where one is', { hosts: ['dragon-lin/ada'] }, { user: 'bob' }, 'send', false],
    ['users by pattern', { hosts: ['*/a*'] }, {}, 'send', true],
    ['a pattern of three parts matches nothing', { hosts: ['dragon-lin/ada/x'] }, {}, 'send', false],
    ['any of several patterns', { agents: ['notes', 'coder0-0'] }, {}, 'send', true],
    ['nothing without patterns', { hosts: [] }, {}, 'send', false],
    ['agents whose names have slashes', { agents: ['a/*'] }, { agent: 'a/b' }, 'observe', true],
  ])('%s', (_, over, where, verb, is) => expect(compileGrants([terms(over)]).allows(verb, place(where))).toBe(is));

  test('two grants together allow no more than each by itself', () => {
    const set = compileGrants([terms({ verbs: ['observe'] }), terms({ id: 'g2', agents: ['notes'] })]);
    expect(set.allows('send', place())).toBe(false);
    expect(set.allows('send', place({ agent: 'notes' }))).toBe(true);
    expect(set.verbs).toEqual(['observe', 'send']);
  });

  test('a host is reached where some agent of it could be observed', () => {
    expect(compileGrants([terms()]).reaches(place())).toBe(true);
    expect(compileGrants([terms({ verbs: ['send'] })]).reaches(place())).toBe(false);
    expect(compileGrants([terms()]).reaches(place({ tenantId: 'other' }))).toBe(false);
  });
});

describe('a grant never widens', () => {
  /** Numbers that look like chance and are the same each time. */
  const chance = (seed: number) => {
    let state = seed;
    return (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state % below;
    };
  };
  const some = <T>(from: readonly T[], next: (below: number) => number): T[] => from.filter(() => next(2) === 0);
  const HOSTS = ['*', 'a*', 'b?', 'aa', 'bb/x', '*/y', 'a*/x*'];
  const AGENTS = ['*', 'c*', '?d', 'cd', 'e'];
  const made = (next: (below: number) => number, id: string): GrantTerms => ({
    id,
    tenants: some(['t', 'u'], next),
    hosts: some(HOSTS, next),
    agents: some(AGENTS, next),
    verbs: some(GRANT_VERBS, next),
    rowLimit: 1,
  });
  const places = ['t', 'u'].flatMap((tenantId) =>
    ['aa', 'bb', 'ab'].flatMap((host) =>
      ['x', 'y'].flatMap((user) => ['cd', 'dd', 'e', ''].map((agent) => ({ tenantId, host, user, agent }))),
    ),
  );
  const allowed = (grants: readonly GrantTerms[]): Set<string> => {
    const set = compileGrants(grants);
    return new Set(
      places.flatMap((at) =>
        GRANT_VERBS.filter((verb) => set.allows(verb, at)).map((verb) => `${verb} ${Object.values(at).join(' ')}`),
      ),
    );
  };

  test('by what it is narrowed to, by its neighbours, or by a verb that a term does not cover', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const next = chance(seed);
      const grants = [made(next, 'g1'), made(next, 'g2')];
      const together = allowed(grants);
      const apart = grants.flatMap((grant) => [...allowed([grant])]);
      expect(together).toEqual(new Set(apart));
      const [first] = grants as [GrantTerms, GrantTerms];
      for (const term of ['tenants', 'hosts', 'agents', 'verbs'] as const) {
        const narrowed = { ...first, [term]: first[term].slice(1) };
        expect(allowed([first])).toEqual(new Set([...allowed([first]), ...allowed([narrowed])]));
      }
      for (const each of allowed([first])) {
        const [verb, tenantId] = each.split(' ');
        expect(first.verbs).toContain(verb);
        expect(first.tenants).toContain(tenantId);
      }
    }
  });
});

describe('how a grant stands', () => {
  test.each([
    ['its peer has not joined', { expiresMs: null, revokedMs: null }, 'invited', 'pending'],
    ['its peer is there', { expiresMs: null, revokedMs: null }, 'active', 'active'],
    ['before its end', { expiresMs: 101, revokedMs: null }, 'active', 'active'],
    ['at its end', { expiresMs: 100, revokedMs: null }, 'active', 'expired'],
    ['its end came before its peer', { expiresMs: 100, revokedMs: null }, 'invited', 'expired'],
    [
      'it was seen to be over, and the clock set back',
      { expiresMs: 200, revokedMs: null, expiredMs: 201 },
      'active',
      'expired',
    ],
    ['it was revoked', { expiresMs: null, revokedMs: 50 }, 'active', 'revoked'],
    ['it was revoked and its time is over', { expiresMs: 60, revokedMs: 50 }, 'active', 'revoked'],
    ['its peer was removed', { expiresMs: null, revokedMs: null }, 'revoked', 'revoked'],
    ['there is no such peer', { expiresMs: null, revokedMs: null }, undefined, 'revoked'],
  ] as const)('%s', (_, record, peer, status) => expect(grantStatus(record, peer, 100)).toBe(status));
});
