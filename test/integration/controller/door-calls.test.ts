import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminServiceClient } from '../../../src/wire/gen/fleet/v1/admin.ts';
import { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { openCell } from '../../helpers/door-ground.ts';
import { failureOf, type TestCell, unary } from '../../helpers/test-cell.ts';

describe('a call at the door', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await openCell();
  });
  afterEach(() => cell.stop());

  it('gives a host no admin call, whatever its certificate, and writes the denial down', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const admin = cell.client(AdminServiceClient, enrolled);
    const failure = await failureOf(unary((done) => admin.removeHost({ host: 'W-jarvis', user: '' }, done)));
    expect(failure).toMatchObject({
      code: status.PERMISSION_DENIED,
      details: expect.stringMatching(/^not permitted: fleet whoami/),
    });
    const [denial] = (await cell.audit.list({ limit: 10 })).filter(({ outcome }) => outcome === 'denied');
    expect(denial).toMatchObject({
      actor: 'spiffe://home/host/W-jarvis/user/jarvis',
      verb: '/fleet.v1.AdminService/RemoveHost',
    });
  });

  it('changes nothing when the audit cannot be written', async () => {
    await cell.enroll(await cell.token());
    const socket = join(cell.folder, 'admin/c.sock');
    await cell.server.listenLocal(socket);
    const admin = cell.local(AdminServiceClient, socket);
    const commit = cell.store.commit.bind(cell.store);
    cell.store.commit = (change, durability) =>
      change.put?.some(({ key }) => key.startsWith('audit/'))
        ? Promise.reject(new Error('disk full'))
        : commit(change, durability);
    const failure = await failureOf(unary((done) => admin.removeHost({ host: 'W-jarvis', user: '' }, done)));
    expect(failure.details).toMatch(/audit cannot be written/);
    expect([...cell.records.identities.entries()].map(([, { revoked }]) => revoked)).toEqual([false]);
    cell.store.commit = commit;
  });

  it('hides the inside of an unexpected failure and says where the cause is', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const client = cell.client(FleetServiceClient, enrolled);
    const failure = await failureOf(unary((done) => client.diagnose({ host: '' }, done)));
    expect(failure.code).toBe(status.INTERNAL);
    expect(failure.details).not.toContain('secret of the inside');
    const reference = /under (\w+)$/.exec(failure.details)?.[1] ?? 'none';
    expect(cell.logged.some((line) => line.includes(reference) && line.includes('secret of the inside'))).toBe(true);
  });
});
