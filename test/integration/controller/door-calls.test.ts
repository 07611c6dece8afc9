import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Admission } from '../../../controller/grpc/admission.ts';
import { IDENTITY_SHARES } from '../../../controller/grpc/call-shares.ts';
import { readCertificate } from '../../../src/identity/certificate.ts';
import { AdminServiceClient } from '../../../src/wire/gen/fleet/v1/admin.ts';
import { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { type Identity, openCell } from '../../helpers/door-ground.ts';
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

  it('holds open so many of one identity and no more, and leaves it its line', async () => {
    const admitted = (identity: Identity, path: string): Admission => {
      const leaf = readCertificate(identity.certificatePem).x509.raw;
      return cell.door.admit(path, { type: 'tls', peer: '127.0.0.1:1', leaf, shown: leaf });
    };
    const watch = '/fleet.v1.FleetService/WatchAgents';
    const jarvis = await cell.enroll(await cell.token());
    const calls = Array.from({ length: IDENTITY_SHARES.calls }, () => admitted(jarvis, watch));
    expect(() => admitted(jarvis, watch)).toThrow(/user\/jarvis holds 1024 calls open here already/);
    admitted(jarvis, '/fleet.v1.HostAgentService/Connect').leave();
    const dragon = await cell.enroll(await cell.token({ host: 'dragon-lin' }), { machineId: 'machine-2' });
    admitted(dragon, watch).leave();
    calls.pop()?.leave();
    admitted(jarvis, watch).leave();
    for (const call of calls) call.leave();
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
