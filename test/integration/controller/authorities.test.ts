import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Authorities } from '../../../src/identity/authorities.ts';
import { authorityFingerprint } from '../../../src/identity/authority.ts';
import { makeKey } from '../../../src/identity/key.ts';
import { verifyPeer } from '../../../src/identity/trust.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const HOST = { kind: 'host', cell: 'home', host: 'W-jarvis', user: 'jarvis' } as const;

describe('the authorities of a cell', () => {
  let parent: string;
  let folder: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'fleet-ca-'));
    folder = join(parent, 'now');
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  const open = (): Promise<Authorities> => Authorities.open(folder, 'home', NOW_MS);
  const facts = ({ phase, fingerprint, other }: Authorities): unknown[] => [
    phase,
    fingerprint,
    other === null ? null : authorityFingerprint(other),
  ];

  it('sign with one and trust both meanwhile; what the old one signed counts until it leaves', async () => {
    const authorities = await open();
    const options = { nowMs: NOW_MS, lifetimeMs: 60_000 };
    const leaf = authorities.issue(HOST, makeKey(), options);
    const counts = (pem: string): boolean => verifyPeer(pem, authorities.bundles, NOW_MS, 'client').ok;
    await authorities.begin(NOW_MS);
    const meanwhile = authorities.issue(HOST, makeKey(), options);
    await authorities.switch();
    const later = authorities.issue(HOST, makeKey(), options);
    expect([leaf, meanwhile, later].map(counts)).toEqual([true, true, true]);
    await authorities.finish();
    expect([leaf, meanwhile, later].map(counts)).toEqual([false, false, true]);
    expect(verifyPeer(leaf, authorities.retired, NOW_MS, 'client').ok).toBe(true);
    expect(verifyPeer(later, authorities.retired, NOW_MS, 'client').ok).toBe(false);
  });

  it('stand after a restart as they did before it, in every phase', async () => {
    const authorities = await open();
    for (const step of ['begin', 'abort', 'begin', 'switch', 'finish'] as const) {
      await authorities[step](NOW_MS);
      const again = await open();
      expect(facts(again)).toEqual(facts(authorities));
      expect(again.trustPem).toBe(authorities.trustPem);
      const leaf = again.issue(HOST, makeKey(), { nowMs: NOW_MS, lifetimeMs: 60_000 });
      expect(verifyPeer(leaf, authorities.bundles, NOW_MS, 'client').ok).toBe(true);
    }
    expect(existsSync(join(folder, 'ca-next.key'))).toBe(false);
    expect(existsSync(join(folder, 'ca-old.crt'))).toBe(false);
  });

  it('that were cut short in a switch stand before it or after it, wherever that was', async () => {
    const authorities = await open();
    await authorities.begin(NOW_MS);
    const [begun, before] = [facts(authorities), join(parent, 'before')];
    cpSync(folder, before, { recursive: true });
    await authorities.switch();
    const switched = facts(authorities);
    const after = join(parent, 'after');
    cpSync(folder, after, { recursive: true });
    /** What had been done when it died: files as they are after it, over those from before it. */
    const cutAfter = async (names: string[], removed: string[] = []): Promise<unknown[]> => {
      rmSync(folder, { recursive: true });
      cpSync(before, folder, { recursive: true });
      for (const name of names) writeFileSync(join(folder, name), readFileSync(join(after, name)));
      for (const name of removed) rmSync(join(folder, name));
      await open();
      return facts(await open());
    };
    expect(await cutAfter([])).toEqual(begun);
    expect(await cutAfter(['ca-old.crt'])).toEqual(begun);
    expect(await cutAfter(['ca-old.crt', 'ca.key'])).toEqual(switched);
    expect(await cutAfter(['ca-old.crt', 'ca.key', 'ca.crt'])).toEqual(switched);
    expect(await cutAfter(['ca-old.crt', 'ca.key', 'ca.crt'], ['ca-next.crt'])).toEqual(switched);
  });

  it('that were cut short in another step stand before it or after it', async () => {
    const authorities = await open();
    const none = facts(authorities);
    await authorities.begin(NOW_MS);
    // A begin or an abort that got as far as the key.
    rmSync(join(folder, 'ca-next.crt'));
    expect(facts(await open())).toEqual(none);
    await authorities.begin(NOW_MS);
    const begun = await open();
    expect(begun.phase).toBe('none');
    await begun.begin(NOW_MS);
    await begun.switch();
    const old = readFileSync(join(folder, 'ca-old.crt'));
    await begun.finish();
    // A finish that did not get as far as taking the old one away.
    writeFileSync(join(folder, 'ca-old.crt'), old);
    expect(facts(await open())).toEqual(facts(begun));
    expect((await open()).retired.get('home')).toHaveLength(1);
  });

  it('of which a switch could not be written stand as before it; it is given up, or repeated where only that is left', async () => {
    const authorities = await open();
    await authorities.begin(NOW_MS);
    const begun = facts(authorities);
    const [, old] = begun;
    // Where a folder stands no file can be put, root or not.
    mkdirSync(join(folder, 'ca-old.crt'));
    await expect(authorities.switch()).rejects.toThrow(/ca-old\.crt/);
    expect(facts(authorities)).toEqual(begun);
    await authorities.abort();
    rmSync(join(folder, 'ca-old.crt'), { recursive: true });
    expect(facts(await open())).toEqual(['none', old, null]);

    await authorities.begin(NOW_MS);
    const [, , next] = facts(authorities);
    const certificate = readFileSync(join(folder, 'ca.crt'));
    rmSync(join(folder, 'ca.crt'));
    mkdirSync(join(folder, 'ca.crt'));
    await expect(authorities.switch()).rejects.toThrow(/ca\.crt/);
    // The old one's key is gone from disk.
    await expect(authorities.abort()).rejects.toThrow(/a switch was cut short: "fleet controller rotate-ca switch"/);
    const leaf = authorities.issue(HOST, makeKey(), { nowMs: NOW_MS, lifetimeMs: 60_000 });
    expect(verifyPeer(leaf, authorities.bundles, NOW_MS, 'client').ok).toBe(true);
    rmSync(join(folder, 'ca.crt'), { recursive: true });
    writeFileSync(join(folder, 'ca.crt'), certificate);
    await authorities.switch();
    expect(facts(authorities)).toEqual(['switched', next, old]);
    expect(facts(await open())).toEqual(['switched', next, old]);
  });

  it('whose next key is not that of its certificate say what to do, and sign nothing', async () => {
    await (await open()).begin(NOW_MS);
    rmSync(join(folder, 'ca-next.key'));
    await expect(open()).rejects.toMatchObject({ code: 'DATA_LOSS', message: expect.stringContaining('remove both') });
  });
});
