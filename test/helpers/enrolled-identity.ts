/** A host's identity as enrolment leaves it, by a real token over the wire; its key in a folder of the test. */
import { join } from 'node:path';
import { IdentityFile } from '../../host-agent/enrollment/identity-file.ts';
import { joinWithToken } from '../../host-agent/enrollment/join.ts';
import { callEnroll } from '../../host-agent/report/enrollment-calls.ts';
import { keyToPem, loadKey } from '../../src/identity/key.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';

export interface EnrolWish {
  /** Folder for its key and identity. */
  folder: string;
  token: string;
  host: string;
  user?: string;
  machineId?: string;
  clock?: Clock;
}

/** Throws what the controller says. */
export const enrolledIdentity = async (wish: EnrolWish) => {
  const { folder, token, host, user = 'u', machineId = `machine-${host}`, clock = systemClock } = wish;
  const file = new IdentityFile(join(folder, host, user));
  const identity = await joinWithToken(token, {
    file,
    clock,
    machineId,
    version: '1.0.0',
    hostName: host,
    userName: user,
    enroll: (address, trustBundlePem, cell, request) =>
      callEnroll(address, { certificatePem: null, keyPem: null, trustBundlePem, cell }, request, clock.nowMs),
  });
  return { ...identity, keyPem: keyToPem(await loadKey(file.keyPath)) };
};
