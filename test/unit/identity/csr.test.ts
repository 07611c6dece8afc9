import { describe, expect, it } from 'vitest';
import { makeCsr, openCsr } from '../../../src/identity/csr.ts';
import { keyFingerprint, makeKey } from '../../../src/identity/key.ts';

/** Made by OpenSSL 3: P-256 with attributes that ask to be an operator; RSA; P-384. */
const OPENSSL = {
  p256: 'MIIBCzCBswIBADAYMQowCAYDVQQDDAF4MQowCAYDVQQKDAF5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENXVyGcB0pP2sgwBDbwkJ3OP0RaZ/9c/F4PtTfUoDNK6I5x2siz0QrRFDRFYWVpVsKmcX1hdCR9TNYAyn1AEI16A5MDcGCSqGSIb3DQEJDjEqMCgwJgYDVR0RBB8wHYYbc3BpZmZlOi8vaG9tZS9vcGVyYXRvci9yb290MAoGCCqGSM49BAMCA0cAMEQCIEum8q6zyL/sRx2xtSDOfBDLhwNVtSs5Ifn0mqXRYaM4AiBIhJDdmVfgAaHK2v0bqWwAeRLCDaJ5X7J8rq8avwMCpw==',
  rsa: 'MIIBSzCBtQIBADAMMQowCAYDVQQDDAF4MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDSoIdcAblLzE/4KA0eKsDfbKMXppXyxhpDUht5kYRLMeeVH4lYKIsVtAqX4KWSb0tv6alc7CczSwLRcELkczb0giA99+FwMUVZVg305NVjFzw3n7oDUmT6jkMYrHw5wAo3dRtQk3bdW9WioCvMMDdq2Ta5NE/zwI74vS5lEduX4wIDAQABoAAwDQYJKoZIhvcNAQELBQADgYEAdrJ5eFAat/j486LHyjERnfr0xX6aJ7YrKiVRWJexgIU0BWkJkuO92S1LUQl9xX3J2u+dYDMBoJHK+KdFdlqNOEnslVZidni+LrRJdO2zG2JIxDfXk62XAMsV5gucgkA9xtwNFke+WKm94QkEJY7RCkDmhqxPrLOTFrEl43uzsHA=',
  p384: 'MIIBBDCBiwIBADAMMQowCAYDVQQDDAF4MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEJw520jgJcgda0IFv9cO+ZD5Gyc+s7UKj6vJsB6AkfkbmpvXoJuhVwbEJwBdC0fpuiN1Frboy+wqcaZprbVeDci1XC0SulHKI5fjnRdmc0UYuqd9Xq2tw9HDjpU23L2a0oAAwCgYIKoZIzj0EAwIDaAAwZQIwXg9CKObNOsa80lVThp7VMJe+7vplvA0jxvjgUAew0ivqj7XRoqWrzhAAK27RSlN3AjEAl/s2dGNmk4IsUBzxf6Ej0nPt+5GIn+m9pisaUvnzDPeTqn7YaAA9QMoCQbHrEwI0',
};

describe('a certificate request', () => {
  it('proves the key that made it', () => {
    const key = makeKey();
    expect(keyFingerprint(openCsr(makeCsr(key)))).toBe(keyFingerprint(key));
  });

  it('of another program is read too, and the names in it are not', () => {
    expect(openCsr(Buffer.from(OPENSSL.p256, 'base64')).asymmetricKeyType).toBe('ec');
  });

  it('is refused for keys that are not P-256', () => {
    expect(() => openCsr(Buffer.from(OPENSSL.rsa, 'base64'))).toThrow(/ECDSA/);
    expect(() => openCsr(Buffer.from(OPENSSL.p384, 'base64'))).toThrow(/P-256/);
  });

  it('is refused, not crashed upon, when any byte of it is changed, cut or added', () => {
    const good = makeCsr(makeKey());
    for (let at = 0; at < good.length; at++) {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] as number) ^ 0x41;
      expect(() => openCsr(changed), `byte ${at}`).toThrow(/refused|not a DER value/);
      expect(() => openCsr(good.subarray(0, at))).toThrow(/refused|not a DER value/);
    }
    expect(() => openCsr(Buffer.concat([good, Buffer.of(0)]))).toThrow(/refused|not a DER value/);
  });
});
