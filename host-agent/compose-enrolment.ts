/**
 * The wiring of who this host-agent is: its enrolment, the renewal of its certificate, and the names that its rows bear.
 * Nothing is decided here.
 */
import { join } from 'node:path';
import { DEFAULT_TENANT } from '../src/domain/tenant.ts';
import type { Composition } from '../src/runtime/composition.ts';
import { FLEET_VERSION } from '../src/runtime/version.ts';
import type { HostAgentConfig } from './config.ts';
import { Enrolment } from './enrollment/enrolment.ts';
import { IdentityFile } from './enrollment/identity-file.ts';
import { Renewal } from './enrollment/renewal.ts';
import { callEnroll, callRenew } from './report/enrollment-calls.ts';

/** Cell of a host-agent that was never enrolled: its rows are this machine's alone. */
const NO_CELL = 'local';

export interface EnrolmentParts extends Composition {
  config: HostAgentConfig;
  machineId: string;
  /** Hears that a new certificate is on disk. */
  renewed(): void;
}

export const composeEnrolment = async ({ config, machineId, renewed, clock, part }: EnrolmentParts) => {
  const { paths, name, user } = config;
  const file = new IdentityFile(join(paths.state, 'host-agent'));
  const enrolment = new Enrolment({
    file,
    clock,
    log: part('enrolment'),
    machineId,
    version: FLEET_VERSION,
    hostName: name,
    userName: user,
    enroll: (address, trustBundlePem, cell, request, ending) =>
      callEnroll(address, { certificatePem: null, keyPem: null, trustBundlePem, cell }, request, clock.nowMs, ending),
  });
  await enrolment.load();
  const renewal = new Renewal({
    file,
    clock,
    log: part('renewal'),
    machineId,
    identity: () => enrolment.identity,
    renewed: async (identity) => {
      await enrolment.renewed(identity);
      renewed();
    },
    renew: (address, identity, expired, request, ending) =>
      callRenew(address, enrolment.tls(identity, !expired), request, clock.nowMs, ending),
  });
  const names = () => {
    const identity = enrolment.identity ?? { cell: NO_CELL, host: name, user, tenantId: DEFAULT_TENANT };
    return { cell: identity.cell, host: identity.host, user: identity.user, tenantId: identity.tenantId };
  };
  return { enrolment, renewal, names };
};
