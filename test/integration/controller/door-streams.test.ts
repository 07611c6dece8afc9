import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authenticate } from '../../../controller/grpc/authenticate.ts';
import { ServerIdentity } from '../../../controller/grpc/server-identity.ts';
import { makeCsr } from '../../../src/identity/csr.ts';
import { refusalReasonOf } from '../../../src/wire/errors.ts';
import { AdminServiceClient } from '../../../src/wire/gen/fleet/v1/admin.ts';
import { type Identity, openCell, Uplink, whoAmI } from '../../helpers/door-ground.ts';
import { failureOf, type TestCell, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

describe('a stream that was let in', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await openCell();
  });
  afterEach(() => cell.stop());

  it('cuts every stream of a host that is removed within a second, with a last word, and nobody else', async () => {
    const doomed = await cell.enroll(await cell.token());
    const other = await cell.enroll(await cell.token({ host: 'dragon-lin' }), { machineId: 'machine-2' });
    const streams = [await Uplink.open(cell, doomed), await Uplink.open(cell, doomed)];
    const bystander = await Uplink.open(cell, other);
    const socket = join(cell.folder, 'admin/c.sock');
    await cell.server.listenLocal(socket);
    const admin = cell.local(AdminServiceClient, socket);
    const { removed } = await unary<{ removed: string[] }>((done) =>
      admin.removeHost({ host: 'W-jarvis', user: '' }, done),
    );
    await until(() => streams.every(({ ended }) => ended !== null), { timeoutMs: 5_000 });
    expect(removed).toEqual(['spiffe://home/host/W-jarvis/user/jarvis']);
    expect(cell.removed).toEqual(['W-jarvis/jarvis']);
    for (const { ended, dismissed } of streams) {
      expect(ended?.code).toBe(status.UNAUTHENTICATED);
      expect(refusalReasonOf(ended)).toBe('revoked');
      expect(dismissed).toEqual(['over']);
    }
    expect(refusalReasonOf(await failureOf(whoAmI(cell, doomed)))).toBe('revoked');
    await bystander.answered();
  });

  it('has its identity seen now for as long as it is open, and last when it ended', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const seen = () => cell.door.lastSeenMs('spiffe://home/host/W-jarvis/user/jarvis');
    const uplink = await Uplink.open(cell, enrolled);
    cell.clock.advance(3_600_000);
    expect(seen()).toBe(cell.clock.nowMs());
    const leftMs = cell.clock.nowMs();
    uplink.close();
    await until(() => cell.door.open().size === 0, { timeoutMs: 10_000 });
    cell.clock.advance(3_600_000);
    expect(seen()).toBe(leftMs);
    expect(cell.door.lastSeenMs('spiffe://home/operator/nobody')).toBeNull();
  });

  it('ends streams when the newest certificate of their identity ran out, not the one they began with', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const uplink = await Uplink.open(cell, enrolled);
    cell.clock.advance(6 * 86_400_000);
    await cell.enrollment.renew(
      { ...(await callerOf(enrolled)), peer: '192.0.2.1:1' },
      {
        csr: makeCsr(enrolled.key),
        machineId: '',
        expiredCertificatePem: '',
      },
    );
    cell.clock.advance(5 * 86_400_000);
    await uplink.answered();
    expect(uplink.ended).toBeNull();
    cell.clock.advance(3 * 86_400_000);
    await until(() => uplink.ended, { timeoutMs: 30_000 });
    expect(refusalReasonOf(uplink.ended)).toBe('certificate_expired');
  });

  const callerOf = async (enrolled: Identity) => {
    const context = { records: cell.records, bundles: cell.authority.bundles, nowMs: cell.clock.nowMs() };
    return authenticate(new X509Certificate(enrolled.certificatePem).raw, 'test', context).caller;
  };

  it('rotates its own certificate under a live stream', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const uplink = await Uplink.open(cell, enrolled);
    const serialOf = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ port: cell.port, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.on('error', reject);
      });
    const before = await serialOf();
    const next = new ServerIdentity(cell.authority, cell.clock, { name: 'main', lifetimeMs: 60_000 });
    cell.server.rotate(next.material);
    expect(await serialOf()).not.toBe(before);
    await uplink.answered();
    expect(await whoAmI(cell, enrolled)).toMatchObject({ host: 'W-jarvis' });
  });

  it('ends only the call whose message is over the limit', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const calm = await Uplink.open(cell, enrolled);
    const loud = await Uplink.open(cell, enrolled);
    loud.stream.write({
      report: {
        snapshotBegin: true,
        rows: [{ key: 'k', row: Buffer.alloc(5 * 1024 * 1024) }],
        removed: [],
        revision: 1n,
        complete: true,
      },
    });
    await until(() => loud.ended, { timeoutMs: 30_000 });
    expect(loud.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    await calm.answered();
  });
});
