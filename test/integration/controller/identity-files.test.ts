import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authorityCell, openAuthority } from '../../../src/identity/authority.ts';
import { keyFingerprint, keyToPem, loadKey, loadOrMakeKey, makeKey } from '../../../src/identity/key.ts';
import { writePrivateFile } from '../../../src/identity/private-file.ts';

const NOW_MS = Date.UTC(2026, 5, 1);

describe('files of an identity', () => {
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'fleet-identity-')), 'state');
  });
  afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

  it('are closed to others, folder included, and leave no drafts behind', async () => {
    const key = await loadOrMakeKey(join(folder, 'key.pem'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['key.pem']);
    expect(keyFingerprint(await loadOrMakeKey(join(folder, 'key.pem')))).toBe(keyFingerprint(key));
  });

  it('are replaced as a whole: a reader never meets half of one', async () => {
    const path = join(folder, 'file');
    await writePrivateFile(path, 'a'.repeat(100_000));
    const reader = setInterval(() => expect([97, 98]).toContain(readFileSync(path)[99_999]), 0);
    for (const letter of ['b', 'a', 'b']) await writePrivateFile(path, letter.repeat(100_000));
    clearInterval(reader);
    expect(readFileSync(path, 'utf8')).toBe('b'.repeat(100_000));
  });

  it('with a damaged key are refused, not replaced, and its text is in no message', async () => {
    const path = join(folder, 'key.pem');
    await writePrivateFile(path, '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----');
    const failure = await loadOrMakeKey(path).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'DATA_LOSS' });
    expect(JSON.stringify([(failure as Error).message, (failure as Error).cause])).not.toContain('hush');
    expect(readFileSync(path, 'utf8')).toContain('hush');
  });

  it('of an authority are made once and stay', async () => {
    expect(await authorityCell(folder)).toBeNull();
    const first = await openAuthority(folder, 'home', NOW_MS);
    expect(await authorityCell(folder)).toBe('home');
    expect((await openAuthority(folder, 'home', NOW_MS + 1_000)).fingerprint).toBe(first.fingerprint);
    await expect(openAuthority(folder, 'other', NOW_MS)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('of an authority that do not belong together are refused, because hosts trust only this key', async () => {
    await openAuthority(folder, 'home', NOW_MS);
    writeFileSync(join(folder, 'ca.key'), keyToPem(makeKey()));
    await expect(openAuthority(folder, 'home', NOW_MS)).rejects.toMatchObject({ code: 'DATA_LOSS' });
    unlinkSync(join(folder, 'ca.key'));
    await expect(openAuthority(folder, 'home', NOW_MS)).rejects.toThrow(/ca\.key is missing/);
  });

  it('of a first start that died between key and certificate are made anew', async () => {
    await writePrivateFile(join(folder, 'ca.key'), keyToPem(makeKey()));
    const authority = await openAuthority(folder, 'home', NOW_MS);
    expect(authority.certificate.checkPrivateKey(await loadKey(join(folder, 'ca.key')))).toBe(true);
  });
});
