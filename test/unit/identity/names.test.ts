import { describe, expect, it } from 'vitest';
import { formatSpiffeId, parseSpiffeId } from '../../../src/identity/spiffe-id.ts';
import { formatToken, isDialAddress, parseToken } from '../../../src/identity/token.ts';

describe('SPIFFE ids', () => {
  it.each([
    [{ kind: 'host', cell: 'home', host: 'W-jarvis', user: 'jarvis' }, 'spiffe://home/host/W-jarvis/user/jarvis'],
    [{ kind: 'operator', cell: 'a.b-c', name: 'maria' }, 'spiffe://a.b-c/operator/maria'],
    [{ kind: 'controller', cell: 'home', name: 'main' }, 'spiffe://home/controller/main'],
  ] as const)('%o is %s and back', (id, text) => {
    expect(formatSpiffeId(id)).toBe(text);
    expect(parseSpiffeId(text)).toEqual(id);
  });

  it.each([
    'spiffe://Home/operator/x',
    'spiffe://home./operator/x',
    'spiffe://home/operator/',
    'spiffe://home/operator/x/',
    'spiffe://home/operator/x?y',
    'spiffe://home/operator/%78',
    'spiffe://home:443/operator/x',
    'spiffe://home/host/a/user/..',
    'spiffe://home/host/a/user/b/user/c',
    'spiffe://home/host/a',
    'spiffe://home/admin/x',
    'spiffe://home//operator/x',
    'SPIFFE://home/operator/x',
    `spiffe://home/operator/${'x'.repeat(65)}`,
    'https://home/operator/x',
  ])('%s is none', (text) => {
    expect(parseSpiffeId(text)).toBeNull();
  });

  it('names the part that cannot be in one', () => {
    const bad = () => formatSpiffeId({ kind: 'host', cell: 'home', host: 'a b', user: 'u' });
    expect(bad).toThrow(/"a b"/);
    expect(() => formatSpiffeId({ kind: 'operator', cell: 'HOME', name: 'x' })).toThrow(/"HOME"/);
  });
});

describe('join tokens', () => {
  const token = {
    cell: 'home',
    host: 'W-jarvis',
    user: '',
    expiresMs: 1_700_000_000_000,
    fingerprint: 'ab'.repeat(32),
    secret: 's'.repeat(32),
    addresses: ['192.0.2.7:7443', '[2001:db8::1]:7443', 'w-jarvis:7443'],
  };

  it('hold what was put in, through a copy with blanks around it', () => {
    expect(parseToken(`  ${formatToken(token)}\n`)).toEqual(token);
  });

  it('are one word of letters that no shell or mail changes', () => {
    expect(formatToken(token)).toMatch(/^fleet1\.[A-Za-z0-9_-]+$/);
  });

  const encode = (fields: unknown) => `fleet1.${Buffer.from(JSON.stringify(fields)).toString('base64url')}`;
  const digest = Buffer.alloc(32, 1).toString('base64url');
  it.each([
    ['', 'is empty'],
    ['hello', 'does not begin'],
    ['fleet2.abcd', 'another version'],
    [formatToken(token).slice(0, 40), 'cut off'],
    [`fleet1.${'x'.repeat(9_000)}`, 'longer'],
    [encode({}), 'damaged'],
    [encode(['HOME', '', '', 1, digest, 's'.repeat(32)]), 'no cell'],
    [encode(['home', 'a/b', '', 1, digest, 's'.repeat(32)]), 'impossible host'],
    [encode(['home', '', '', '1', digest, 's'.repeat(32)]), 'no expiry'],
    [encode(['home', '', '', 1, 'AAAA', 's'.repeat(32)]), 'no fingerprint'],
    [encode(['home', '', '', 1, digest, 'short']), 'no secret'],
    [encode(['home', '', '', 1, digest, 's'.repeat(32), 'nowhere']), 'impossible address'],
  ])('%.20s… %s', (text, why) => {
    expect(() => parseToken(text)).toThrow(why);
  });

  it('name addresses that can be dialled', () => {
    expect(['h:1', '1.2.3.4:65535', '[::1]:7443'].every(isDialAddress)).toBe(true);
    expect(['h', 'h:0', 'h:65536', '::1:7443', 'h:1/x', ' h:1'].some(isDialAddress)).toBe(false);
  });
});
