/** The line to the controller: certificate, reach, clock. */
import { readCertificate, renewalDueMs } from '../../src/identity/certificate.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { failed, ok, unknown, warning } from './finding.ts';

const SKEW_WORTH_SAYING_MS = 30_000;

export const certificate = ({ enrolment, clock, config }: DiagnoseOptions): Finding => {
  const identity = enrolment.identity;
  if (identity === null) {
    return enrolment.problem === null
      ? warning(
          'certificate',
          'not enrolled with any controller',
          'other machines do not see this one',
          'fleet up here, or fleet host add from the controller’s machine',
        )
      : failed(
          'certificate',
          enrolment.problem,
          'other machines do not see this one',
          'make a new token with "fleet token" and give it to "fleet host join"',
        );
  }
  const facts = readCertificate(identity.certificatePem);
  const leftMs = facts.notAfterMs - clock.nowMs();
  const what = `${identity.host}/${identity.user} in cell ${identity.cell}, ${leftMs > 0 ? 'ends' : 'ended'} ${new Date(facts.notAfterMs).toISOString()}`;
  if (leftMs <= 0)
    return failed(
      'certificate',
      what,
      'the controller takes no stream with it',
      `it renews by itself once the controller is reached; see "reach" and ${config.paths.state}/host-agent`,
    );
  if (clock.nowMs() < facts.notBeforeMs) {
    const now = new Date(clock.nowMs()).toISOString();
    const from = new Date(facts.notBeforeMs).toISOString();
    return failed(
      'certificate',
      `${identity.host}/${identity.user} in cell ${identity.cell}, begins ${from}: it is ${now} by the clock here`,
      'neither side of a line takes what is not valid yet',
      'set the clock: timedatectl set-ntp true',
    );
  }
  if (enrolment.problem !== null)
    return warning(
      'certificate',
      `${what}; ${enrolment.problem}`,
      'the token that was handed over here has changed nothing',
      'make a new one with "fleet token" and give it to "fleet host join", or do nothing to stay as you are',
    );
  return clock.nowMs() > renewalDueMs(facts)
    ? warning('certificate', `${what}; renewal is due`, 'it has not been renewed in time', 'see "reach"')
    : ok('certificate', what);
};

export const reach = ({ standing, enrolment }: DiagnoseOptions): Finding => {
  if (enrolment.identity === null) return ok('reach', 'no controller to be reached');
  const { state, address, reason } = standing();
  if (state === 'connected') return ok('reach', `controller at ${address}`);
  return failed(
    'reach',
    `controller ${state} at ${address || enrolment.identity.addresses.join(', ')}${reason ? `: ${reason}` : ''}`,
    'other machines see the last rows of this one only',
    'is the controller running there (fleet up), and is its port open to this machine?',
  );
};

export const clockSkew = ({ clockSkewMs, enrolment, standing }: DiagnoseOptions): Finding => {
  if (enrolment.identity === null) return unknown('clock', 'no controller to compare with');
  const skewMs = clockSkewMs();
  if (skewMs === null) return unknown('clock', 'not compared with the controller’s yet');
  const what = `${Math.round(skewMs / 1000)} s against the controller’s`;
  if (standing().state !== 'connected') return unknown('clock', `${what}, when it was last heard`);
  return Math.abs(skewMs) > SKEW_WORTH_SAYING_MS
    ? warning(
        'clock',
        what,
        'ages are right all the same, but times in logs will not match',
        'timedatectl set-ntp true',
      )
    : ok('clock', what);
};
