import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type CertificateAuthority, makeAuthority } from '../../../src/identity/authority.ts';
import { BACKDATED_MS, readCertificate, renewalDueMs, signCertificate } from '../../../src/identity/certificate.ts';
import { serverIdentityCheck } from '../../../src/identity/client-tls.ts';
import { keyFingerprint, makeKey } from '../../../src/identity/key.ts';
import { type PeerRefusal, type TrustBundles, verifyPeer } from '../../../src/identity/trust.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const LIFE_MS = 7 * 86_400_000;
const home = makeAuthority('home', NOW_MS);
const partner = makeAuthority('partner', NOW_MS);
const bundles = new Map([...home.authority.bundles, ...partner.authority.bundles]);
const host = { kind: 'host', cell: 'home', host: 'W-jarvis', user: 'jarvis' } as const;

/** A leaf with whatever one wants in it, signed by `by`. */
const forge = (by: typeof home, uri: string, uses: readonly ('client' | 'server')[] | null = ['client']): string =>
  signCertificate({
    subject: 'x',
    issuer: `fleet cell ${by.authority.cell}`,
    uri,
    key: makeKey(),
    issuerKey: by.key,
    uses,
    notBeforeMs: NOW_MS - 1_000,
    notAfterMs: NOW_MS + LIFE_MS,
  });

const issue = (authority: CertificateAuthority, id: Parameters<CertificateAuthority['issue']>[0] = host): string =>
  authority.issue(id, makeKey(), { nowMs: NOW_MS, lifetimeMs: LIFE_MS });

const reasonFor = (pem: string, nowMs = NOW_MS): PeerRefusal | 'accepted' => {
  const verdict = verifyPeer(pem, bundles, nowMs, 'client');
  return verdict.ok ? 'accepted' : verdict.reason;
};

describe('a peer', () => {
  it('is who the one URI of a leaf of its own domain says', () => {
    const verdict = verifyPeer(issue(home.authority), bundles, NOW_MS, 'client');
    expect(verdict).toMatchObject({ ok: true, id: host, uri: 'spiffe://home/host/W-jarvis/user/jarvis' });
  });

  it('is refused when a trusted authority names another domain', () => {
    expect(reasonFor(forge(partner, 'spiffe://home/host/W-jarvis/user/jarvis'))).toBe('other_domain');
  });

  it('is refused when another authority calls itself by our name', () => {
    const impostor = makeAuthority('home', NOW_MS);
    expect(reasonFor(issue(impostor.authority))).toBe('foreign_authority');
  });

  it('is judged anew each time by who is trusted and what time it is, though its bytes are read once', () => {
    const { raw } = new X509Certificate(issue(home.authority));
    const successor = makeAuthority('home', NOW_MS).authority;
    const judged = (trusted: TrustBundles, nowMs = NOW_MS, use: 'client' | 'server' = 'client') => {
      const verdict = verifyPeer(raw, trusted, nowMs, use);
      return verdict.ok ? 'accepted' : verdict.reason;
    };
    expect(judged(bundles)).toBe('accepted');
    expect(judged(bundles)).toBe('accepted');
    expect(judged(successor.bundles)).toBe('foreign_authority');
    expect(judged(partner.authority.bundles)).toBe('unknown_domain');
    expect(judged(bundles, NOW_MS + LIFE_MS)).toBe('expired');
    expect(judged(bundles, NOW_MS - 2 * BACKDATED_MS)).toBe('not_yet_valid');
    expect(judged(bundles, NOW_MS, 'server')).toBe('wrong_use');
    expect(judged(new Map([['home', [successor.certificate, home.authority.certificate]]]))).toBe('accepted');
  });

  it('has the fingerprint of its key, whichever of its certificates shows it', () => {
    const key = makeKey();
    const leaves = [home, partner].map(({ authority }) => {
      const id = { ...host, cell: authority.cell };
      return readCertificate(authority.issue(id, key, { nowMs: NOW_MS, lifetimeMs: LIFE_MS })).keyFingerprint;
    });
    expect(leaves).toEqual([keyFingerprint(key), keyFingerprint(key)]);
  });

  it('is refused when nobody knows its domain', () => {
    expect(reasonFor(issue(makeAuthority('nowhere', NOW_MS).authority, { ...host, cell: 'nowhere' }))).toBe(
      'unknown_domain',
    );
  });

  it.each([
    'https://home/x',
    'spiffe://home',
    'spiffe://home/host/a',
    'spiffe://home/host/a/user/b,URI:spiffe://home/operator/c',
  ])('is nobody with %s', (uri) => expect(reasonFor(forge(home, uri))).toBe('no_identity'));

  it('is nobody with the certificate of an authority, its own included', () => {
    expect(reasonFor(home.authority.pem)).toBe('no_identity');
    expect(reasonFor(forge(home, 'spiffe://home/operator/root', null))).toBe('no_identity');
  });

  it('is refused with a certificate that is not for what it is used for', () => {
    expect(reasonFor(forge(home, 'spiffe://home/operator/x', ['server']))).toBe('wrong_use');
    expect(verifyPeer(issue(home.authority), bundles, NOW_MS, 'server')).toMatchObject({ reason: 'wrong_use' });
  });

  it('counts from a day before its certificate was made to the end of its life', () => {
    const pem = issue(home.authority);
    expect(reasonFor(pem, NOW_MS - BACKDATED_MS - 1)).toBe('not_yet_valid');
    expect(reasonFor(pem, NOW_MS - BACKDATED_MS)).toBe('accepted');
    expect(reasonFor(pem, NOW_MS + LIFE_MS - 1)).toBe('accepted');
    expect(reasonFor(pem, NOW_MS + LIFE_MS)).toBe('expired');
    expect(verifyPeer(pem, bundles, NOW_MS + LIFE_MS, 'client')).toMatchObject({ id: host });
  });

  it('is refused with bytes that are no certificate', () => {
    expect(reasonFor('hello')).toBe('unreadable');
  });

  it('is not believed when a leaf signed it: leaves make no leaves', () => {
    const middleKey = makeKey();
    const middle = home.authority.issue(host, middleKey, { nowMs: NOW_MS, lifetimeMs: LIFE_MS });
    const grandchild = signCertificate({
      subject: 'x',
      issuer: 'fleet host',
      uri: 'spiffe://home/operator/root',
      key: makeKey(),
      issuerKey: middleKey,
      uses: ['client'],
      notBeforeMs: NOW_MS,
      notAfterMs: NOW_MS + LIFE_MS,
    });
    expect(reasonFor(grandchild)).toBe('foreign_authority');
    const trusting = new Map([['home', [new X509Certificate(middle)]]]);
    expect(verifyPeer(grandchild, trusting, NOW_MS, 'client')).toMatchObject({
      ok: false,
      reason: 'foreign_authority',
    });
  });
});

/** Made by OpenSSL 3, self-signed: one URI; two; a URI and a DNS name; a DNS name that looks like a URI. */
const OPENSSL = {
  one: 'MIIBkTCCATegAwIBAgIUBiNkaWztW2KQcAa7AcijN8fpZykwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjMyMzU0MjFaGA8yMTI2MTAzMDIzNTQyMVowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABM18GOpLzc1InQr1KKEd5PT2tzNv0OaO4v3+Ww49iQUH/QsRgRBD+xEd5kNLrOEVFjHUHNh0e5DTpC/EgT1KCAWjdTBzMB0GA1UdDgQWBBSdLNxA5iooiWUlhmol435iou1rdjAfBgNVHSMEGDAWgBSdLNxA5iooiWUlhmol435iou1rdjAjBgNVHREEHDAahhhzcGlmZmU6Ly9ob21lL29wZXJhdG9yL2EwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNIADBFAiEA3K6dL0PEaDRiVNjDPNcEHhSId3+1MuE8Zo4Ue2qIWbECIAV3rw5RfnpN7f3HaZqs14tCgqX8Ha+59cBhvjYb3hZg',
  two: 'MIIBrTCCAVOgAwIBAgIUVHajvGrRsan+8SVqCZCmS+rLCa4wCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjMyMzU0MjFaGA8yMTI2MTAzMDIzNTQyMVowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABD+mlppF0d1v22DsAKt/m5UyXdFYXuglYjCRc7uwSl5l7ua9QusR0+2g4EykZkBjn8+QWKw9gu62AYn9aF/J9wajgZAwgY0wHQYDVR0OBBYEFM06T9Qfca3xlM+O4lU6gZJ7o4VQMB8GA1UdIwQYMBaAFM06T9Qfca3xlM+O4lU6gZJ7o4VQMD0GA1UdEQQ2MDSGGHNwaWZmZTovL2hvbWUvb3BlcmF0b3IvYYYYc3BpZmZlOi8vaG9tZS9vcGVyYXRvci9iMAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0EAwIDSAAwRQIhAI+ySN54ge0nNJ288ozRPOHOHtiIHEBl/q2gMckGXXI1AiAG/qoDMpBzZYCEONS3lv+lyZ0Ej7vsJ2prf87gjSdnXA==',
  mixed:
    'MIIBnTCCAUOgAwIBAgIUMPElAVZJPFENzuai3G7jSv6eEKswCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjMyMzU0MjFaGA8yMTI2MTAzMDIzNTQyMVowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKfyeW6GzURvQgfscPkSY45fsDvWxnxymeqmOGwqEyKnxKEGrRx9J/m0HuT00+9dRlI4EPGnp7FDZTc1A3SoJMWjgYAwfjAdBgNVHQ4EFgQUpt9TQSEP3rLo2wRxA96+9NIHbRQwHwYDVR0jBBgwFoAUpt9TQSEP3rLo2wRxA96+9NIHbRQwLgYDVR0RBCcwJYYYc3BpZmZlOi8vaG9tZS9vcGVyYXRvci9hggl4LmV4YW1wbGUwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNIADBFAiAzQ4FBRUDBuPpilE2AuQRygezaMmc1mpKRSQTu1wI4OQIhAJIiNVB6qaScnWH1eYPYfPYuc7I/JJzxMgJNamLAwRw3',
  odd: 'MIIBljCCATugAwIBAgIUVeBGbGupCjm2jxTb6AUzR0l7cnEwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjMyMzU0MjFaGA8yMTI2MTAzMDIzNTQyMVowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDabY4jqjShwyJKSJTIHiVH9javLvyw0k0FXBy/KYzQCLw+GxVzMpxCHm5t+DVZ1FBd29+X0nxemJaJz973vhEujeTB3MB0GA1UdDgQWBBQiZI+a1lAyELdn33PO2Q/XE3Ox8jAfBgNVHSMEGDAWgBQiZI+a1lAyELdn33PO2Q/XE3Ox8jAnBgNVHREEIDAeghxVUkk6c3BpZmZlOi8vaG9tZS9vcGVyYXRvci9hMAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0EAwIDSQAwRgIhAKuHGLg8bJ4u1l3Scxeje7EcjWIjgW4T5HFsJQWe2rgPAiEAhEF30t7ejEJOFigPwL7DJf4OB5xbUyCLsJChf7SWu+8=',
};

describe('a certificate', () => {
  it('has a name only when it has exactly one, a URI', () => {
    const uriOf = (base64: string) => readCertificate(Buffer.from(base64, 'base64')).uri;
    expect(uriOf(OPENSSL.one)).toBe('spiffe://home/operator/a');
    expect([uriOf(OPENSSL.two), uriOf(OPENSSL.mixed), uriOf(OPENSSL.odd)]).toEqual([null, null, null]);
  });

  it('is due for renewal at two thirds of its life, whatever its backdating', () => {
    expect(renewalDueMs(readCertificate(issue(home.authority)))).toBe(NOW_MS + (LIFE_MS * 2) / 3);
  });

  it('never outlives its authority', () => {
    const pem = home.authority.issue(host, makeKey(), { nowMs: NOW_MS, lifetimeMs: 50 * 365 * 86_400_000 });
    expect(readCertificate(pem).notAfterMs).toBe(home.authority.certificate.validToDate.getTime());
  });

  it('is never signed for another cell', () => {
    expect(() => issue(home.authority, { ...host, cell: 'partner' })).toThrow(/bug/);
  });

  it('has a year of four digits from 2050 on, as RFC 5280 demands', () => {
    const late = makeAuthority('home', Date.UTC(2045, 0, 1)).authority.certificate;
    expect(late.validToDate.getUTCFullYear()).toBe(2055);
  });
});

describe('the check of a server', () => {
  const check = serverIdentityCheck('home', home.authority.pem, () => NOW_MS);
  const served = (pem: string) => ({ raw: new X509Certificate(pem).raw }) as PeerCertificate;

  it('accepts a controller of the cell under any address', () => {
    expect(
      check('192.0.2.9', served(issue(home.authority, { kind: 'controller', cell: 'home', name: 'b' }))),
    ).toBeUndefined();
  });

  it('refuses a host of the cell that plays controller, and a controller of another cell', () => {
    const bothUses = forge(home, 'spiffe://home/host/a/user/b', ['server', 'client']);
    expect(check('x', served(bothUses))?.message).toMatch(/is no controller/);
    const other = issue(partner.authority, { kind: 'controller', cell: 'partner', name: 'main' });
    expect(check('x', served(other))?.message).toMatch(/unknown_domain.*expected a controller of cell home/);
  });
});
