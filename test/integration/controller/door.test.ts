import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Client, type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Addresses } from '../../../controller/admin/addresses.ts';
import { authenticate } from '../../../controller/grpc/authenticate.ts';
import { ServerIdentity } from '../../../controller/grpc/server-identity.ts';
import { addHealth, addReflection } from '../../../controller/grpc/standard-services.ts';
import { FleetError } from '../../../src/domain/errors.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { signCertificate } from '../../../src/identity/certificate.ts';
import { makeCsr } from '../../../src/identity/csr.ts';
import { makeKey } from '../../../src/identity/key.ts';
import { probeController } from '../../../src/identity/probe.ts';
import { refusalReasonOf } from '../../../src/wire/errors.ts';
import { AdminServiceClient } from '../../../src/wire/gen/fleet/v1/admin.ts';
import { FleetServiceClient, FleetServiceService } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import {
  type ConnectRequest,
  type ConnectResponse,
  HostAgentServiceClient,
  HostAgentServiceService,
} from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import type { WhoAmIResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { failureOf, TestCell, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

type Identity = NonNullable<Parameters<TestCell['client']>[1]>;

/** A service that answers each message of an uplink, and tells who calls. */
const serve = async (cell: TestCell): Promise<void> => {
  cell.server.addService(HostAgentServiceService, {
    tunnel: () => Promise.resolve(),
    connect: (_caller, call, { signal }) =>
      new Promise((resolve, reject) => {
        call.on('data', () =>
          call.write({ beat: { sequence: 1n, controllerNowMs: 0, auditSequence: 0n, auditHash: '' } }),
        );
        call.on('end', resolve);
        signal.addEventListener('abort', () => {
          call.write({ dismissed: { reason: 'over', detail: '' } });
          reject(signal.reason);
        });
      }),
  });
  const absent = (): Promise<never> => Promise.reject(new FleetError('UNIMPLEMENTED', 'not served by this test'));
  cell.server.addService(FleetServiceService, {
    watchAgents: async (_caller, _request, call) => void call.write({ opened: { cell: 'home', resumed: false } }),
    whoAmI: (caller) => ({
      caller: { name: caller.name, role: caller.role, tenantId: caller.tenantId, kind: caller.kind },
      cell: 'home',
      host: caller.host,
      user: caller.user,
      version: '1',
      verbs: [...caller.ceiling],
      tenants: [],
    }),
    diagnose: () => {
      throw new Error('secret of the inside');
    },
    watchEvents: absent,
    watchTerminal: absent,
    tailTerminal: absent,
    explainAgent: absent,
    sendText: absent,
    pressKeys: absent,
    answerPrompt: absent,
    controlAgent: absent,
    getRoster: absent,
    putRoster: absent,
    putIntent: absent,
    getIntent: absent,
    getOrder: absent,
    listOrders: absent,
    getAuditHeads: absent,
    holdTerminal: absent,
    typeKeys: absent,
  });
};

/** An open uplink that has been answered once. */
class Uplink {
  readonly stream: ClientDuplexStream<ConnectRequest, ConnectResponse>;
  readonly dismissed: string[] = [];
  answers = 0;
  ended: ServiceError | null = null;

  constructor(cell: TestCell, identity: Identity | null) {
    this.stream = cell.client(HostAgentServiceClient, identity).connect();
    this.stream.on('error', (error: ServiceError) => {
      this.ended = error;
    });
    this.stream.on('data', ({ dismissed }: ConnectResponse) => {
      if (dismissed) this.dismissed.push(dismissed.reason);
      else this.answers++;
    });
  }

  async answered(): Promise<void> {
    const before = this.answers;
    this.stream.write({ beat: { sequence: 1n, authorities: [] } });
    await until(() => this.answers > before || (this.ended && Promise.reject(this.ended)), { timeoutMs: 5_000 });
  }

  static async open(cell: TestCell, identity: Identity): Promise<Uplink> {
    const uplink = new Uplink(cell, identity);
    await uplink.answered();
    return uplink;
  }
}

const whoAmI = (cell: TestCell, identity: Identity | null) => {
  const client = cell.client(FleetServiceClient, identity);
  return unary<WhoAmIResponse>((done) => client.whoAmI({}, done));
};

describe('the door', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await new TestCell({ limits: { handshakeTimeoutMs: 300, strangerLifetimeMs: 400 } }).start();
    await serve(cell);
    await cell.open();
  });
  afterEach(() => cell.stop());

  const leafOf = (id: Parameters<TestCell['authority']['issue']>[0], lifetimeMs = 60_000): Identity => {
    const key = makeKey();
    return { key, certificatePem: cell.authority.issue(id, key, { nowMs: Date.now(), lifetimeMs }) };
  };
  const hostId = { kind: 'host', cell: 'home', host: 'W-jarvis', user: 'jarvis' } as const;

  it('knows an enrolled host by its certificate alone', async () => {
    const enrolled = await cell.enroll(await cell.token());
    expect(await whoAmI(cell, enrolled)).toMatchObject({
      caller: { kind: 'host', name: 'jarvis', role: 'operator', tenantId: 'default' },
      host: 'W-jarvis',
      user: 'jarvis',
    });
  });

  it('lets a stranger nowhere but to enrolment, and tells it nothing', async () => {
    const failure = await failureOf(whoAmI(cell, null));
    expect(failure.code).toBe(status.UNAUTHENTICATED);
    expect(refusalReasonOf(failure)).toBeNull();
    const uplink = new Uplink(cell, null);
    await until(() => uplink.ended, { timeoutMs: 5_000 });
    expect(uplink.ended?.code).toBe(status.UNAUTHENTICATED);
    expect(uplink.answers).toBe(0);
  });

  it('refuses a certificate of a foreign authority, also one that bears our names', async () => {
    const { authority } = makeAuthority('home', Date.now());
    const key = makeKey();
    const certificatePem = authority.issue(hostId, key, { nowMs: Date.now(), lifetimeMs: 60_000 });
    const failure = await failureOf(whoAmI(cell, { key, certificatePem }));
    expect(failure.code).toBe(status.UNAUTHENTICATED);
    expect(refusalReasonOf(failure)).toBeNull();
    await until(() => cell.logged.some((line) => line.includes('foreign_authority')), { timeoutMs: 2_000 });
  });

  it('refuses a certificate of a trusted authority that names another domain', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const { authority: partner, key: partnerKey } = makeAuthority('partner', Date.now());
    // TLS is given the union of bundles, so the handshake itself accepts the partner's leaf.
    cell.server.rotate({ ...cell.identity.material, trustPem: cell.authority.pem + partner.pem });
    cell.partners.push(partner);
    const key = makeKey();
    const certificatePem = signCertificate({
      subject: 'x',
      issuer: 'fleet cell partner',
      uri: 'spiffe://home/host/W-jarvis/user/jarvis',
      key,
      issuerKey: partnerKey,
      uses: ['client'],
      notBeforeMs: Date.now() - 1_000,
      notAfterMs: Date.now() + 60_000,
    });
    expect((await failureOf(whoAmI(cell, { key, certificatePem }))).code).toBe(status.UNAUTHENTICATED);
    await until(() => cell.logged.some((line) => line.includes('other_domain')), { timeoutMs: 2_000 });
    expect(await whoAmI(cell, enrolled)).toMatchObject({ host: 'W-jarvis' });
  });

  it('refuses a leaf that our own authority signed but nobody enrolled', async () => {
    expect((await failureOf(whoAmI(cell, leafOf(hostId)))).code).toBe(status.UNAUTHENTICATED);
  });

  it('tells the holder of an expired certificate why it is refused', async () => {
    const { key } = await cell.enroll(await cell.token());
    const certificatePem = cell.authority.issue(hostId, key, { nowMs: Date.now(), lifetimeMs: -1_000 });
    const failure = await failureOf(whoAmI(cell, { key, certificatePem }));
    expect(failure.code).toBe(status.UNAUTHENTICATED);
    expect(refusalReasonOf(failure)).toBe('certificate_expired');
  });

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
    await until(() => streams.every(({ ended }) => ended !== null), { timeoutMs: 1_000 });
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
    await until(() => uplink.ended, { timeoutMs: 5_000 });
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

  it('is not disturbed by garbage, half-open handshakes, foreign protocols or hostile paths', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const uplink = await Uplink.open(cell, enrolled);
    const closed: string[] = [];
    const note = (name: string, socket: Socket) => {
      socket.on('error', () => undefined);
      socket.on('close', () => closed.push(name));
      socket.resume();
    };
    const garbage = connect({ port: cell.port }, () => garbage.write(Buffer.alloc(64 * 1024, 0xa5)));
    note('garbage', garbage);
    const http = connect({ port: cell.port }, () => http.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    note('http', http);
    note('silent', connect({ port: cell.port }));
    const half = connect({ port: cell.port }, () => half.write(Buffer.from('1603010200010001fc0303', 'hex')));
    note('half', half);
    const options = { port: cell.port, rejectUnauthorized: false };
    const tlsGarbage = connectTls({ ...options, ALPNProtocols: ['h2'] }, () =>
      tlsGarbage.write(Buffer.alloc(9_000, 7)),
    );
    note('garbage in tls', tlsGarbage);
    note('no alpn', connectTls(options));
    note('idle stranger', connectTls({ ...options, ALPNProtocols: ['h2'] }));
    const hostile = connectHttp2(`https://127.0.0.1:${cell.port}`, options);
    hostile.on('error', () => undefined);
    hostile.on('close', () => closed.push('hostile paths'));
    for (const path of ['/', '/%ff', '/\x80\xff', `/${'x'.repeat(9_000)}`, '/fleet.v1.FleetService/Nothing']) {
      const request = hostile.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      request.on('error', () => undefined);
      request.end(Buffer.alloc(70_000, 1));
    }
    await until(() => closed.length === 8, { timeoutMs: 10_000 }).catch((error: unknown) => {
      throw new Error(`only these were closed: ${closed.join(', ')}`, { cause: error });
    });
    await uplink.answered();
    expect(uplink.ended).toBeNull();
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
    await until(() => loud.ended, { timeoutMs: 5_000 });
    expect(loud.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    await calm.answered();
  });

  it('bounds the connections of strangers without turning known hosts away', async () => {
    const crowded = await new TestCell({ limits: { maxStrangers: 3, strangerLifetimeMs: 60_000 } }).start();
    try {
      await serve(crowded);
      await crowded.open();
      const enrolled = await crowded.enroll(await crowded.token());
      let refused = 0;
      for (let index = 0; index < 6; index++) {
        const socket = connectTls({ port: crowded.port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
        socket.on('error', () => undefined);
        socket.on('close', () => refused++);
      }
      await until(() => refused >= 3, { timeoutMs: 5_000 });
      expect(await whoAmI(crowded, enrolled)).toMatchObject({ host: 'W-jarvis' });
    } finally {
      await crowded.stop();
    }
  });

  it('gives a host no admin call, whatever its certificate, and writes the denial down', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const admin = cell.client(AdminServiceClient, enrolled);
    const failure = await failureOf(unary((done) => admin.removeHost({ host: 'W-jarvis', user: '' }, done)));
    expect(failure).toMatchObject({ code: status.PERMISSION_DENIED, details: 'not permitted' });
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

  it('proves itself to a joining machine by the fingerprint of its token, and a stranger there does not', async () => {
    const { fingerprint } = await cell.token();
    const target = { address: cell.address, cell: 'home', fingerprint };
    const options = { timeoutMs: 5_000, nowMs: Date.now };
    expect(await probeController(target, options)).toEqual({
      trustBundlePem: cell.authority.pem,
      controller: 'spiffe://home/controller/main',
    });
    const wrong = probeController({ ...target, fingerprint: 'ab'.repeat(32) }, options);
    await expect(wrong).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const other = probeController({ ...target, cell: 'elsewhere' }, options);
    await expect(other).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(probeController({ ...target, address: '127.0.0.1:1' }, options)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('opens further addresses while streams live, and opens them again at the next start', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const uplink = await Uplink.open(cell, enrolled);
    expect(await cell.addresses.open('', ['w-jarvis.example:7443'])).toBe(true);
    expect(await cell.addresses.open('', [])).toBe(false);
    expect(cell.server.listening).toEqual([
      expect.stringMatching(new RegExp(`^(0\\.0\\.0\\.0|\\[::\\]):${cell.port}$`)),
    ]);
    expect(cell.addresses.dialable()[0]).toBe('w-jarvis.example:7443');
    expect(cell.addresses.dialable()).toContain(`127.0.0.1:${cell.port}`);
    await uplink.answered();
    const client = cell.client(FleetServiceClient, enrolled, `127.0.0.1:${cell.port}`);
    expect(await unary((done) => client.whoAmI({}, done))).toMatchObject({ host: 'W-jarvis' });
    const opened: string[] = [];
    const listener = {
      listening: opened,
      listen: async (host: string, port: number) => {
        opened.push(`${host}:${port}`);
        return `${host}:${port}`;
      },
    };
    await new Addresses(listener, cell.records, cell.log).start(0);
    expect(opened).toEqual([`127.0.0.1:${cell.port}`, `:::${cell.port}`]);
  });

  it('answers health to those it knows, and reflection to an administrator', async () => {
    const fresh = await new TestCell().start();
    try {
      const image = join(fresh.folder, 'fleet.binpb');
      execFileSync('buf', ['build', 'proto', '-o', image]);
      const health = addHealth(fresh.server, ['fleet.v1.FleetService']);
      addReflection(fresh.server, readFileSync(image));
      await serve(fresh);
      await fresh.open();
      health.set('', true);
      const enrolled = await fresh.enroll(await fresh.token());
      const check = (identity: Identity | null) => {
        const client = fresh.client(Client, identity);
        const method = service.Check ?? service.check;
        if (method === undefined) throw new Error('no method');
        return unary<{ status: string }>((done) =>
          client.makeUnaryRequest(
            method.path,
            method.requestSerialize,
            method.responseDeserialize as (bytes: Buffer) => { status: string },
            { service: '' },
            (error, value) => done(error, value as { status: string }),
          ),
        );
      };
      expect(await check(enrolled)).toMatchObject({ status: 'SERVING' });
      expect((await failureOf(check(null))).code).toBe(status.UNAUTHENTICATED);
      const socket = join(fresh.folder, 'admin', 's');
      await fresh.server.listenLocal(socket);
      const client = fresh.local(Client, socket);
      const listServices = Buffer.from('3a00', 'hex');
      let answer = Buffer.alloc(0);
      const stream = client.makeBidiStreamRequest<Buffer, Buffer>(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        (bytes) => bytes,
        (bytes) => bytes,
      );
      stream.on('error', () => undefined);
      stream.on('data', (bytes: Buffer) => {
        answer = Buffer.concat([answer, bytes]);
      });
      stream.write(listServices);
      await until(() => answer.includes('fleet.v1.FleetService'), { timeoutMs: 5_000 });
      stream.end();
    } finally {
      await fresh.stop();
    }
  });
});

describe('the admin socket', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await (await new TestCell().start()).open();
  });
  afterEach(() => cell.stop());

  it('closes its folder to others and serves the administrator without a certificate', async () => {
    const folder = join(cell.folder, 'admin');
    mkdirSync(folder, { mode: 0o755 });
    const path = join(folder, 'c.sock');
    await cell.server.listenLocal(path);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const client = cell.local(AdminServiceClient, path);
    const made = await unary<{ token: string }>((done) =>
      client.createToken({ host: 'h', user: 'u', tenantId: '', validSeconds: 60, replace: false }, done),
    );
    expect(made.token).toMatch(/^fleet1\./);
    const [allowed] = (await cell.audit.list({ limit: 5 })).filter(({ outcome }) => outcome === 'allowed');
    expect(allowed).toMatchObject({ verb: '/fleet.v1.AdminService/CreateToken', target: 'h/u' });
    expect(JSON.stringify(await cell.audit.list({ limit: 5 }))).not.toContain(made.token);
  });

  it('takes the place of a dead predecessor, and never of a living one or of a file', async () => {
    const path = join(cell.folder, 'admin/c.sock');
    mkdirSync(join(cell.folder, 'admin'), { mode: 0o700 });
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
    expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' })).toThrow();
    await cell.server.listenLocal(path);
    await expect(cell.server.listenLocal(path)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    const file = join(cell.folder, 'admin/file');
    writeFileSync(file, 'x');
    await expect(cell.server.listenLocal(file)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const long = join(cell.folder, 'x'.repeat(120));
    await expect(cell.server.listenLocal(long)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});
