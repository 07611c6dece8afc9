/** A restore brings back what the backup knew, and none of what was taken away since, as far as anybody can know it. */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backUp } from '../../../controller/backup/back-up.ts';
import { type Restored, restore } from '../../../controller/backup/restore.ts';
import { restoredLines } from '../../../controller/backup/run-restore.ts';
import { Intents } from '../../../controller/desired/intents.ts';
import { inviteOperator, revokeOperator } from '../../../controller/enrollment/operators.ts';
import { quarantineHost } from '../../../controller/enrollment/quarantine.ts';
import { revokeHost } from '../../../controller/enrollment/revoke.ts';
import { type IntentRecord, openRecords, type Records } from '../../../controller/store/records.ts';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';
import { bindUser, unbindUser } from '../../../controller/tenancy/bindings.ts';
import { LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { allowVerbs, ceilingOf } from '../../../controller/tenancy/ceilings.ts';
import { addTenant, removeTenant } from '../../../controller/tenancy/tenants.ts';
import { Authorities } from '../../../src/identity/authorities.ts';
import { authorityFingerprint, makeAuthority } from '../../../src/identity/authority.ts';
import { parseToken } from '../../../src/identity/token.ts';
import { TestCell } from '../../helpers/test-cell.ts';

const NONE = { revoked: 0, quarantined: 0, narrowed: 0, moved: 0, removed: 0 };
const BY = { nowMs: 0, by: 'test' };
let cell: TestCell;
let file: string;
let restored: SqliteStore | null;

beforeEach(async () => {
  cell = await (await new TestCell().start()).open();
  writeFileSync(join(cell.folder, 'audit.key'), 'k'.repeat(32));
  file = `${cell.folder}.backup`;
  restored = null;
});
afterEach(async () => {
  restored?.stop();
  await cell.stop();
  for (const left of besides()) await rm(left, { recursive: true, force: true });
});

/** Files and folders beside the cell's own. */
const besides = (): string[] =>
  readdirSync(join(cell.folder, '..'))
    .map((name) => join(cell.folder, '..', name))
    .filter((path) => path.startsWith(`${cell.folder}.`));

const settingsPath = () => join(cell.folder, 'none.env');
const enrolls = (host: string) => cell.token({ host, user: 'u' }).then((token) => cell.enroll(token, machineOf(host)));
const machineOf = (host: string) => ({ machineId: `machine-of-${host}` });
const invites = async (name: string) =>
  parseToken(
    (await inviteOperator({ name, role: 'operator', tenants: [], takeover: false, validSeconds: 0 }, cell.issuing()))
      .token,
    'operator',
  );
const peers = async (name: string, pem = makeAuthority(name, Date.now()).authority.pem) =>
  await cell.federation.peers.hold({ cell: name, trustBundlePem: pem, addresses: ['127.0.0.1:1'] }, ['default']);
const grants = async (id: string, peer: string): Promise<void> => {
  const terms = { tenants: ['default'], hosts: ['*'], agents: ['*'], verbs: ['observe' as const], rowLimit: 10 };
  const record = { id, peer, ...terms, expiresMs: null, createdMs: 0, createdBy: 'test', revokedMs: null };
  await cell.store.commit({ put: [cell.records.grants.writing(id, record)] });
};
const revokes = async (id: string): Promise<void> => {
  const grant = cell.records.grants.get(id);
  if (grant) await cell.store.commit({ put: [cell.records.grants.writing(id, { ...grant, revokedMs: 1 })] });
};

const backsUp = () =>
  backUp(file, {
    folder: cell.folder,
    settingsPath: settingsPath(),
    cell: 'home',
    version: '1',
    nowMs: cell.clock.nowMs,
  });

/** What a controller finds that starts on it. */
const putBack = async (into = cell): Promise<Restored & { records: Records }> => {
  into.store.stop();
  const { clock, log, folder } = into;
  const done = await restore(file, {
    folder,
    settingsPath: settingsPath(),
    clock,
    log,
    actor: 'local:test',
    force: true,
  });
  restored = new SqliteStore(join(folder, 'controller.db'));
  restored.start();
  return { ...done, records: await openRecords(restored) };
};
const host = (records: Records, name: string) => records.identities.get(`spiffe://home/host/${name}/user/u`);
const operator = (records: Records, name: string) => records.identities.get(`spiffe://home/operator/${name}`);

describe('with the store of before beside it', () => {
  test('whoever was revoked, removed or replaced since is so again, whatever key the backup knows', async () => {
    for (const name of ['same', 'gone', 'anew']) await enrolls(name);
    for (const name of ['maria', 'nadia']) await cell.enroll(await invites(name));
    await backsUp();
    await revokeHost(cell.records, 'gone', '');
    await enrolls('anew');
    for (const name of ['maria', 'nadia']) await revokeOperator(cell.records, 'home', name);
    // Invited again and revoked again: what is revoked last is another key.
    await cell.enroll(await invites('nadia'));
    await revokeOperator(cell.records, 'home', 'nadia');
    const { records, denials } = await putBack();
    expect(denials).toEqual({ ...NONE, revoked: 4 });
    const held = [host(records, 'same'), host(records, 'gone'), host(records, 'anew')];
    const people = [operator(records, 'maria'), operator(records, 'nadia')];
    expect([...held, ...people].map((record) => record?.revoked)).toEqual([false, true, true, true, true]);
  });

  test('a grant that was seen to be over since is over, whatever the clock says', async () => {
    await peers('other');
    for (const id of ['g1', 'g2']) await grants(id, 'other');
    await backsUp();
    const grant = cell.records.grants.get('g2');
    if (grant) await cell.store.commit({ put: [cell.records.grants.writing('g2', { ...grant, expiredMs: 5 })] });
    const { records } = await putBack();
    expect(['g1', 'g2'].map((id) => records.grants.get(id)?.expiredMs)).toEqual([undefined, 5]);
  });

  test('a host in quarantine stays there, one that was let out is in it again, and no more is allowed than last', async () => {
    for (const name of ['shut', 'free', 'less', 'more']) await enrolls(name);
    const pair = (name: string) => [{ host: name, user: 'u' }];
    await quarantineHost(cell.records, { host: 'free', user: '' }, true);
    await allowVerbs(cell.records, pair('shut'), ['send']);
    await allowVerbs(cell.records, pair('less'), ['send', 'lifecycle']);
    await allowVerbs(cell.records, pair('more'), ['send']);
    await backsUp();
    await quarantineHost(cell.records, { host: 'shut', user: '' }, true);
    await quarantineHost(cell.records, { host: 'free', user: '' }, false);
    await allowVerbs(cell.records, pair('shut'), []);
    await allowVerbs(cell.records, pair('less'), ['lifecycle', 'deploy']);
    await allowVerbs(cell.records, pair('more'), ['send', 'takeover']);
    const { records, denials } = await putBack();
    expect(denials).toEqual({ ...NONE, quarantined: 1, narrowed: 2 });
    const quarantined = ['shut', 'free', 'less'].map((name) => host(records, name)?.quarantined ?? false);
    expect(quarantined).toEqual([true, true, false]);
    const allowed = ['shut', 'less', 'more'].map((name) => ceilingOf(records, name, 'u').join());
    expect(allowed).toEqual(['', 'lifecycle', 'send']);
  });

  test('a peer that was removed, or is another one now, is none; a grant that ended is over', async () => {
    for (const name of ['same', 'gone', 'other']) await peers(name);
    for (const id of ['g1', 'g2']) await grants(id, 'same');
    await backsUp();
    cell.clock.advance(1_000);
    await cell.federation.peers.remove('gone');
    await cell.federation.peers.remove('other');
    await peers('other');
    await revokes('g2');
    const next = makeAuthority('same', Date.now()).authority.pem;
    await cell.federation.peers.refresh(
      'same',
      { cell: 'same', trustBundlePem: next, addresses: [] },
      [],
      async () => {},
    );
    const { records, denials } = await putBack();
    expect(denials).toEqual({ ...NONE, revoked: 3 });
    expect(['same', 'gone', 'other'].map((name) => records.peers.get(name)?.state)).toEqual([
      'active',
      'revoked',
      'revoked',
    ]);
    // The authority that it gave up may be in anybody's hands.
    expect(records.peers.get('same')?.trustBundlePem).toBe(next);
    expect(['g1', 'g2'].map((id) => records.grants.get(id)?.revokedMs)).toEqual([null, 1]);
  });

  test('a host that came to another tenant stays with it', async () => {
    for (const tenant of ['acme', 'beta']) await addTenant(cell.records, tenant, BY);
    for (const name of ['moved', 'freed']) {
      await enrolls(name);
      await bindUser(cell.records, 'home', { host: name, user: 'u' }, { tenantId: 'acme', boundMs: 0, boundBy: 't' });
    }
    await backsUp();
    await addTenant(cell.records, 'later', BY);
    await bindUser(cell.records, 'home', { host: 'moved', user: 'u' }, { tenantId: 'later', boundMs: 0, boundBy: 't' });
    await unbindUser(cell.records, 'home', { host: 'freed', user: 'u' });
    const { records, denials } = await putBack();
    expect(denials).toEqual({ ...NONE, moved: 2 });
    expect(['moved', 'freed'].map((name) => host(records, name)?.tenantId)).toEqual(['later', 'default']);
    expect([records.bindings.get('moved/u')?.tenantId, records.bindings.get('freed/u')]).toEqual(['later', undefined]);
    expect(records.tenants.get('later')).toBeDefined();
  });

  test('a tenant that was removed since does not exist again, nor for a peer that was to be shown to others last', async () => {
    for (const tenant of ['acme', 'gone']) await addTenant(cell.records, tenant, BY);
    const { cell: name, trustBundlePem } = await peers('same');
    await enrolls('moved');
    await bindUser(cell.records, 'home', { host: 'moved', user: 'u' }, { tenantId: 'gone', boundMs: 0, boundBy: 't' });
    const shownTo = async (tenant: string): Promise<void> => {
      const peer = cell.records.peers.get(name);
      if (peer) await cell.store.commit({ put: [cell.records.peers.writing(name, { ...peer, audience: [tenant] })] });
    };
    await shownTo('gone');
    await backsUp();
    await bindUser(cell.records, 'home', { host: 'moved', user: 'u' }, { tenantId: 'acme', boundMs: 0, boundBy: 't' });
    await shownTo('acme');
    await removeTenant(cell.records, 'gone', cell.clock.nowMs());
    const { records, denials, ...done } = await putBack();
    expect(denials).toEqual({ ...NONE, moved: 1, removed: 1 });
    expect([...records.tenants.entries()].map(([tenant]) => tenant)).toEqual(['acme']);
    expect(records.peers.get('same')).toMatchObject({ state: 'active', trustBundlePem, audience: ['acme'] });
    expect(restoredLines({ ...done, denials }).join('\n')).toMatch(/stays so: .*, 1 tenants removed$/);
  });

  test('an authority that was given up since stays so, and the one that took its place goes on', async () => {
    await backsUp();
    const { fingerprint: old } = cell.authority;
    await cell.authority.begin(cell.clock.nowMs());
    await cell.authority.switch();
    await cell.authority.finish();
    const { records: _, ...done } = await putBack();
    expect(done.signing).toBe(cell.authority.fingerprint);
    expect(restoredLines(done).join('\n')).toMatch(/signs, to which the cell went over after .*; the one before stays/);
    const { fingerprint, phase, retired } = await Authorities.open(cell.folder, 'home', cell.clock.nowMs());
    expect([fingerprint, phase]).toEqual([cell.authority.fingerprint, 'none']);
    expect(retired.get('home')?.map(authorityFingerprint)).toEqual([old]);
    expect(readdirSync(cell.folder)).not.toContain('authorities');
  });

  test('authorities that are not whole any more are those of the backup again', async () => {
    await backsUp();
    const { fingerprint } = cell.authority;
    await cell.authority.begin(cell.clock.nowMs());
    await cell.authority.switch();
    await rm(join(cell.folder, 'ca.key'));
    expect((await putBack()).signing).toBe(fingerprint);
    const restoredOnes = await Authorities.open(cell.folder, 'home', cell.clock.nowMs());
    expect([restoredOnes.fingerprint, restoredOnes.phase]).toEqual([fingerprint, 'none']);
  });

  test('it is known as this cell’s by its audit, too, where its authority cannot be read', async () => {
    await enrolls('gone');
    await backsUp();
    await revokeHost(cell.records, 'gone', '');
    writeFileSync(join(cell.folder, 'ca.crt'), 'no certificate');
    expect((await putBack()).denials).toEqual({ ...NONE, revoked: 1 });
  });

  test('it says nothing where a cell of the same name began anew', async () => {
    await enrolls('same');
    await backsUp();
    const anew = await (await new TestCell().start()).open();
    try {
      await anew.enroll(await anew.token({ host: 'same', user: 'u' }), machineOf('same'));
      const { records, denials, signing, kept } = await putBack(anew);
      await rm(kept ?? '', { recursive: true });
      expect([denials, signing]).toEqual([null, cell.authority.fingerprint]);
      expect(host(records, 'same')?.revoked).toBe(false);
    } finally {
      await anew.stop();
    }
  });
});

test('invitations, join tokens and what waited for hosts are void, whatever became of them; what was used stays used', async () => {
  const used = await cell.token({ host: 'here', user: 'u' });
  await cell.enroll(used, machineOf('here'));
  await cell.token({ host: 'later', user: 'u' });
  await invites('maria');
  const call = { id: 't', signal: new AbortController().signal };
  await peers('former');
  await cell.federation.peers.remove('former');
  for (const name of ['partner', 'former']) {
    await cell.federation.admin.invitePeer(LOCAL_CALLER, { cell: name, tenants: [], validSeconds: 0 }, call);
  }
  const intent = { id: 'i1', state: 'waiting', steps: [], reason: '', endedMs: 0 } as unknown as IntentRecord;
  await new Intents(cell.records).put('here/u', intent, Buffer.alloc(0));
  await backsUp();
  const { records, withdrawn, denials, ...done } = await putBack();
  expect([...records.tokens.entries()].map(([, token]) => token.used?.uri)).toEqual(['spiffe://home/host/here/user/u']);
  expect([[...records.invitations.entries()], records.peers.get('partner')]).toEqual([[], undefined]);
  expect(records.peers.get('former')?.state).toBe('revoked');
  expect(withdrawn).toBe(1);
  expect(records.intents.get('here/u')).toMatchObject({ state: 'withdrawn' });
  expect(await restored?.list('intent-orders/', { limit: 1 })).toEqual([]);
  expect(denials).toEqual(NONE);
  expect(restoredLines({ ...done, withdrawn, denials }).join('\n')).toContain('invitations of before are void');
});

describe('without it', () => {
  test('the folder is gone: what cannot be known is said', async () => {
    await enrolls('same');
    await cell.enroll(await invites('maria'));
    await peers('other');
    await grants('g1', 'other');
    for (let number = 10; number < 43; number++) await addTenant(cell.records, `t${number}`, BY);
    await backsUp();
    await quarantineHost(cell.records, { host: 'same', user: '' }, true);
    cell.store.stop();
    renameSync(cell.folder, `${cell.folder}.lost`);
    const { records, ...done } = await putBack();
    expect(done).toMatchObject({ denials: null, kept: null });
    expect(host(records, 'same')?.quarantined ?? false).toBe(false);
    const lines = restoredLines(done);
    expect(lines.join('\n')).toMatch(/is not known and stands again: revoke .* quarantine hosts, allow/);
    expect(lines.slice(-5)).toEqual([
      expect.stringMatching(/^these tenants stand again: t10, .*, t39, and 3 more$/),
      'these hosts stand again: same/u',
      'these people stand again: maria',
      'these peers stand again: other',
      'these grants stand again: g1',
    ]);
  });

  test('what stands there cannot be read: as if it were gone', async () => {
    await enrolls('same');
    await backsUp();
    await revokeHost(cell.records, 'same', '');
    cell.store.stop();
    for (const left of ['controller.db-wal', 'controller.db-shm']) await rm(join(cell.folder, left), { force: true });
    writeFileSync(join(cell.folder, 'controller.db'), 'no database');
    const { denials, kept } = await putBack();
    expect(denials).toBeNull();
    expect(existsSync(join(kept ?? '', 'controller.db'))).toBe(true);
    expect(readdirSync(cell.folder).filter((name) => name.startsWith('last.db'))).toEqual([]);
  });
});
