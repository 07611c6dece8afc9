import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Enrolment } from '../../../../host-agent/enrollment/enrolment.ts';
import { type EnrolledIdentity, IdentityFile } from '../../../../host-agent/enrollment/identity-file.ts';
import { Renewal } from '../../../../host-agent/enrollment/renewal.ts';
import { makeAuthority } from '../../../../src/identity/authority.ts';
import { openCsr } from '../../../../src/identity/csr.ts';
import { loadOrMakeKey } from '../../../../src/identity/key.ts';
import { silentLogger } from '../../../../src/runtime/logger.ts';
import { MovedClock } from '../../../helpers/moved-clock.ts';
import { until } from '../../../helpers/until.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

const WEEK_MS = 7 * 24 * 3_600_000;

const enrolled = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-renewal-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  const clock = new MovedClock();
  const file = new IdentityFile(folder);
  const key = await loadOrMakeKey(file.keyPath);
  const { authority } = makeAuthority('home', clock.nowMs());
  const issue = (publicKey = key): string => {
    const id = { kind: 'host', cell: 'home', host: 'dragon-lin', user: 'u' } as const;
    return authority.issue(id, publicKey, { nowMs: clock.nowMs(), lifetimeMs: WEEK_MS });
  };
  const identity: EnrolledIdentity = {
    cell: 'home',
    host: 'dragon-lin',
    user: 'u',
    tenantId: 'default',
    addresses: ['192.0.2.1:7443'],
    certificatePem: issue(),
    trustBundlePem: authority.pem,
  };
  await file.save(identity);
  const options = {
    file,
    clock,
    log: silentLogger(),
    machineId: 'm',
    version: '1',
    hostName: 'dragon-lin',
    userName: 'u',
    enroll: () => Promise.reject(new Error('no token is handed over here')),
  };
  const enrolment = new Enrolment(options);
  await enrolment.load();
  return { clock, file, identity, issue, enrolment };
};

test('a controller that goes on refusing a certificate that is new already does not make it renew without end', async () => {
  const { clock, file, enrolment, issue } = await enrolled();
  let renewals = 0;
  const renewal = new Renewal({
    file,
    clock,
    log: silentLogger(),
    machineId: 'm',
    identity: () => enrolment.identity,
    renewed: async (identity) => {
      renewals++;
      await enrolment.renewed(identity);
      // The uplink dials at once, and is refused again for a reason that no certificate mends.
      setImmediate(() => renewal.nudge());
    },
    renew: async (_address, held, _expired, { csr }) => ({ ...held, certificatePem: issue(openCsr(csr)) }),
  });
  const stopping = new AbortController();
  const running = renewal.run(stopping.signal);
  cleanUp.push(() => running);
  cleanUp.push(async () => stopping.abort());
  renewal.nudge();
  await until(() => renewals === 1, { timeoutMs: 5_000 });
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(29_000);
  renewal.nudge();
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(renewals).toBe(1);
  clock.advance(1_000);
  renewal.nudge();
  await until(() => renewals === 2, { timeoutMs: 5_000 });
});

test('a renewal keeps what was said meanwhile, and one for a former name is dropped', async () => {
  const { file, identity, enrolment, issue } = await enrolled();
  const welcome = { addresses: ['192.0.2.2:7443'], trustBundlePem: '', tenantId: 'acme' };
  await enrolment.welcomed(welcome as Parameters<typeof enrolment.welcomed>[0]);
  const certificatePem = issue();
  await enrolment.renewed({ ...identity, certificatePem });
  expect(await file.load()).toMatchObject({ tenantId: 'acme', certificatePem });
  await enrolment.renewed({ ...identity, host: 'former', certificatePem: 'another' });
  expect(enrolment.identity).toMatchObject({ host: 'dragon-lin', certificatePem });
  expect(await file.load()).toMatchObject({ host: 'dragon-lin', certificatePem });
});

test('an identity that came while it waited for one is renewed in its own time', async () => {
  const { clock, file, identity, issue, enrolment } = await enrolled();
  let held: EnrolledIdentity | null = null;
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const renewal = new Renewal({
    file,
    clock,
    log: silentLogger(),
    machineId: 'm',
    identity: () => held,
    renewed: (renewed) => enrolment.renewed(renewed),
    renew: async (_address, present, _expired, { csr }) => {
      held = null;
      ask();
      return { ...present, certificatePem: issue(openCsr(csr)) };
    },
  });
  const stopping = new AbortController();
  const running = renewal.run(stopping.signal);
  cleanUp.push(() => running);
  cleanUp.push(async () => stopping.abort());
  held = identity;
  clock.advance(WEEK_MS - 1_000);
  renewal.look();
  await asked;
});
