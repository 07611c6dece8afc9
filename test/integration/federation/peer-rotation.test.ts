/** A cell goes over to its next authority, and its peers come along: whoever has not taken it is named before the switch. */
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { IdentityRecord } from '../../../controller/store/records.ts';
import { LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import type { AuthorityHolder } from '../../../src/wire/gen/fleet/v1/rotation.ts';
import { PeerCells } from '../../helpers/peer-cells.ts';
import { rotate, rotationOf } from '../../helpers/rotation-steps.ts';
import { TestCell } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

/** Well before the minute in which peers tell each other anyway. */
const AT_ONCE = { timeoutMs: 20_000 };

describe('of two running cells', () => {
  let cells: PeerCells;
  beforeEach(async () => {
    cells = await PeerCells.start();
    await until(async () => (await partner())?.connected, AT_ONCE);
  });
  afterEach(() => cells?.end());

  const partner = async (): Promise<AuthorityHolder | undefined> =>
    (await rotationOf(cells.home.controller)).holders.find(({ spiffeId }) => spiffeId === 'spiffe://partner');

  test('the peer that is connected is told at once, and is no hindrance then', async () => {
    const { controller } = cells.home;
    await rotate(controller, 'begin');
    await until(async () => (await partner())?.trusts, AT_ONCE);
    await rotate(controller, 'switch');
    await rotate(controller, 'finish');
    await until(async () => (await partner())?.connected, AT_ONCE);
    expect(await partner()).toMatchObject({ trusts: true, renewed: true });
  });

  test('the peer that is away is told to be without it, and comes along when it is back before the switch', async () => {
    await cells.partner.controller.stop();
    await until(async () => (await partner())?.connected === false, AT_ONCE);
    await rotate(cells.home.controller, 'begin');
    expect(await partner()).toMatchObject({ connected: false, trusts: false });
    await cells.partner.controller.begin();
    await until(async () => (await partner())?.trusts, AT_ONCE);
  });
});

it('is not switched while a peer is connected that has not taken the next authority, but by force', async () => {
  const home = await (await new TestCell().start()).open();
  const partner = await new TestCell({ cell: 'partner' }).start();
  try {
    const { peers } = home.federation;
    const told = { cell: 'partner', trustBundlePem: partner.authority.pem, addresses: ['127.0.0.1:1'] };
    await peers.hold(told, ['default']);
    home.connected.add('partner');
    const { signal } = new AbortController();
    await home.rotation.take('begin', false, signal);
    const switched = () => home.rotation.take('switch', false, signal);
    const refusedWith = (words: RegExp) => ({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(words) });
    const refusal = refusedWith(
      /^cell partner is connected and not trusting the new authority yet: .* within a minute/,
    );
    await expect(switched()).rejects.toMatchObject(refusal);
    const newest = home.rotation.standing().other.slice(0, 12);
    // What it has is its own word, of our authorities alone.
    const says = async (trusts: string[]): Promise<void> => {
      const caller = { ...LOCAL_CALLER, kind: 'controller', cell: 'partner', name: 'partner' } as const;
      await home.federation.enrollment.refreshPeer(caller, { identity: told, trusts }, { id: 't', signal });
    };
    await says([home.authority.fingerprint, partner.authority.fingerprint]);
    await expect(switched()).rejects.toMatchObject(refusal);
    expect(peers.get('partner')?.trusts).toEqual([home.authority.fingerprint]);
    // One of an older version says nothing of it: what to do about that is no matter of waiting.
    await says([]);
    const silent = new RegExp(
      `^cell partner is of a version that does not say .*: upgrade it there; .* ${newest} .* --force`,
    );
    await expect(switched()).rejects.toMatchObject(refusedWith(silent));
    // A host is told apart from it.
    await home.enroll(await home.token({ host: 'dragon-lin', user: 'u' }));
    const { identities, store } = home.records;
    const uri = 'spiffe://home/host/dragon-lin/user/u';
    const late = { ...(identities.get(uri) as IdentityRecord), trusts: [] };
    await store.commit({ put: [identities.writing(uri, late)] });
    home.connected.add('dragon-lin/u');
    const both =
      /^dragon-lin\/u is connected and not trusting .* fleet host upgrade HOST\. cell partner is of a version/;
    await expect(switched()).rejects.toMatchObject(refusedWith(both));
    home.connected.delete('dragon-lin/u');
    const { fingerprint: old } = home.authority;
    expect((await home.rotation.take('switch', true, signal)).holders.at(-1)).toMatchObject({ trusts: false });
    home.clock.advance(1_000);
    await says([old, home.authority.fingerprint]);
    expect((await home.rotation.take('finish', false, signal)).holders.at(-1)).toMatchObject({ trusts: true });
  } finally {
    await home.stop();
    await partner.stop();
  }
});
