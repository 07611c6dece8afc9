/** Whose users see what a peer grants is changed without a new invitation, on either side, and counts at once. */
import { once } from 'node:events';
import { type ServiceError, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { addTenant, removeTenant } from '../../../controller/tenancy/tenants.ts';
import { setPeerTenants } from '../../../src/cli/client/peer-methods.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { parseInvitation } from '../../../src/identity/invitation.ts';
import { PeerCells } from '../../helpers/peer-cells.ts';
import { TestCell } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };

test('what is federated changes hands at once, and whoever has it open and sees it no more is cut', async () => {
  const cells = await PeerCells.start({ tenants: ['acme'] });
  try {
    await cells.partner.host('dragon-lin', {
      calls: {
        tailTerminal: async (_request, sink, { signal }) => {
          sink.write({ lines: ['a line'], fullScreen: false, missed: 0, end: undefined, run: undefined });
          if (!signal.aborted) await once(signal, 'abort');
        },
      },
    });
    const [ours, others] = [await cells.home.host('W-jarvis', { tenantId: 'acme' }), await cells.home.host('W-other')];
    await cells.grant(['watch']);
    await cells.untilRows(1);
    const tail = (host: typeof ours) => {
      const request = { hostAgent: 'partner/dragon-lin/u', key: 'a', lines: 10, follow: true, lastRun: 0 };
      const call = cells.home.as(host).tailTerminal(request);
      call.resume();
      const failed = new Promise<ServiceError>((resolve) => call.once('error', resolve));
      return { call, failed, shown: new Promise((resolve) => call.once('data', resolve)) };
    };
    const held = tail(ours);
    await held.shown;
    expect((await tail(others).failed).code).toBe(status.NOT_FOUND);
    const { peer } = await cells.home.controller.admin((channel) =>
      channel.unary(setPeerTenants, { cell: 'partner', tenants: ['default'] }, { deadlineMs: 5_000 }),
    );
    expect(peer).toMatchObject({ cell: 'partner', state: 'active', tenants: ['default'] });
    expect((await held.failed).code).toBe(status.NOT_FOUND);
    const theirs = tail(others);
    await theirs.shown;
    theirs.call.cancel();
    // The line was not begun anew for it.
    expect((await cells.peer())?.acceptedMs).toBe(peer?.acceptedMs);
  } finally {
    await cells.end();
  }
});

test('of one that is invited it counts once it comes; a tenant that it left is free, one that is none is refused', async () => {
  const home = await (await new TestCell().start()).open();
  try {
    const { records, clock, federation } = home;
    for (const tenant of ['acme', 'beta']) await addTenant(records, tenant, { nowMs: clock.nowMs(), by: 'test' });
    const call = { id: 't', signal: new AbortController().signal };
    const shows = async (tenants: string[], cell = 'partner') =>
      await federation.admin.setPeerTenants(LOCAL_CALLER, { cell, tenants }, call);
    await expect(shows(['acme'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const wish = { cell: 'partner', tenants: ['acme'], validSeconds: 0 };
    const { secret } = parseInvitation((await federation.admin.invitePeer(LOCAL_CALLER, wish, call)).token);
    await expect(shows(['nobody'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(shows([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await shows(['beta', 'default', 'beta'])).peer).toMatchObject({ tenants: ['beta', 'default'] });
    await removeTenant(records, 'acme', clock.nowMs());
    const { authority } = makeAuthority('partner', Date.now());
    const told = { cell: 'partner', trustBundlePem: authority.pem, addresses: [] };
    await federation.invitations.use(secret, told, async () => {});
    expect(federation.peers.get('partner')).toMatchObject({ state: 'active', audience: ['beta', 'default'] });
    await expect(removeTenant(records, 'beta', clock.nowMs())).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const before = federation.peers.get('partner')?.acceptedMs;
    await shows(['default']);
    await removeTenant(records, 'beta', clock.nowMs());
    expect(federation.peers.get('partner')?.acceptedMs).toBe(before);
    await federation.peers.remove('partner');
    await expect(shows(['default'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await until(() => home.trust.bundles().size === 1, SOON);
  } finally {
    await home.stop();
  }
});

test('a cell that joins while its audience is changed comes for neither by half', async () => {
  const home = await (await new TestCell().start()).open();
  try {
    const { records, clock, federation } = home;
    for (const tenant of ['acme', 'beta']) await addTenant(records, tenant, { nowMs: clock.nowMs(), by: 'test' });
    const call = { id: 't', signal: new AbortController().signal };
    const wish = { cell: 'partner', tenants: ['acme'], validSeconds: 0 };
    const { secret } = parseInvitation((await federation.admin.invitePeer(LOCAL_CALLER, wish, call)).token);
    const { authority } = makeAuthority('partner', Date.now());
    const told = { cell: 'partner', trustBundlePem: authority.pem, addresses: [] };
    const changes = async (): Promise<void> => void (await federation.peers.showTo('partner', ['beta']));
    await expect(federation.invitations.use(secret, told, changes)).rejects.toMatchObject({ code: 'ABORTED' });
    await federation.invitations.use(secret, told, async () => {});
    expect(federation.peers.get('partner')).toMatchObject({ state: 'active', audience: ['beta'] });
  } finally {
    await home.stop();
  }
});
