import { describe, expect, test } from 'vitest';
import { keyFingerprint, saidBySsh, seenHostKey } from '../../../../src/cli/ssh/host-key.ts';
import { sshFailure } from '../../../../src/cli/ssh/ssh-failure.ts';
import { parseSshTarget, targetArgs } from '../../../../src/cli/ssh/ssh-target.ts';

const TRACE = `OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19 27 Jan 2026
debug1: Connecting to dragon-lin [10.0.0.2] port 22.
debug1: Server host key: ssh-ed25519 SHA256:wos7e3q8cu3/QzE+WqoMVG7789IzIspPul/fg3eAjtQ
jwoltje@dragon-lin: Permission denied (publickey).
`;

describe('a target', () => {
  test('is user and machine, with what was given beside it', () => {
    const target = parseSshTarget('jwoltje@dragon-lin', { port: '2222', identity: '/k' });
    expect(target).toEqual({ user: 'jwoltje', machine: 'dragon-lin', port: 2222, identityFile: '/k' });
    expect(targetArgs(target)).toEqual(['-l', 'jwoltje', '-p', '2222', '-i', '/k']);
  });
  test('may leave the user to ssh_config', () => {
    expect(parseSshTarget('dragon-lin').user).toBeNull();
  });
  test.each(['-oProxyCommand=x', 'a@-oProxyCommand=x', '-l@x', 'a b@x', 'a@x;y', '@x', 'a@', 'a@x\ny'])(
    '%j would be an option or a command, and is refused',
    (text) => {
      expect(() => parseSshTarget(text)).toThrow(/use USER@MACHINE/);
    },
  );
  test.each(['0', '65536', 'ssh', '2 2'])('port %j is refused', (port) => {
    expect(() => parseSshTarget('a@x', { port })).toThrow(/--port/);
  });
});

test("the server's key and ssh's own words are told from its trace", () => {
  expect(seenHostKey(TRACE)).toEqual({
    type: 'ssh-ed25519',
    fingerprint: 'SHA256:wos7e3q8cu3/QzE+WqoMVG7789IzIspPul/fg3eAjtQ',
  });
  expect(saidBySsh(TRACE)).toBe('jwoltje@dragon-lin: Permission denied (publickey).');
  expect(seenHostKey('debug1: Connecting')).toBeNull();
});

test('a fingerprint is computed as ssh prints it', () => {
  // ssh-keygen -lf of this very key.
  const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIKoY1qHhk3R2OGzgz7FCDuglt5RHBwI8Okf7LHOUTxcP';
  expect(keyFingerprint(key)).toBe('SHA256:HdMo/JpvohpIym9M2ohwDlq/4ZEDo6K3m4AnK/Wiv/k');
});

describe('a failure to connect', () => {
  const key = { type: 'ssh-ed25519', fingerprint: 'SHA256:abc' };
  test.each([
    ['Permission denied (publickey).', 'PERMISSION_DENIED', /ssh-copy-id/],
    ['Host key verification failed.', 'UNAUTHENTICATED', /--host-key SHA256:abc/],
    ['@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @', 'UNAUTHENTICATED', /has changed/],
    ['ssh: Could not resolve hostname x: Name or service not known', 'NOT_FOUND', /no machine/],
    ['ssh: connect to host x port 22: Connection refused', 'UNAVAILABLE', /Connection refused/],
  ])('%j is %s', (said, code, words) => {
    const error = sshFailure('a@x', said, key, false);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
  });
  test('a changed key is never offered for acceptance', () => {
    const said = 'REMOTE HOST IDENTIFICATION HAS CHANGED! Host key verification failed.';
    expect(sshFailure('a@x', said, key, false).message).not.toContain('--host-key');
  });
});
