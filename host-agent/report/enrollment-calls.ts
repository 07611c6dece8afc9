/** Enrol and Renew as calls with a deadline that a signal ends; a refusal keeps the controller's words. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { FleetError, type FleetErrorCode } from '../../src/domain/errors.ts';
import type { ClientIdentityPem } from '../../src/identity/client-tls.ts';
import type {
  CertificateResponse,
  EnrollRequest,
  RenewRequest,
} from '../../src/wire/gen/fleet/v1/enrollment_messages.ts';
import { enrollmentChannel } from './controller-channel.ts';

const CALL_DEADLINE_MS = 10_000;

export const callEnroll = (
  address: string,
  identity: ClientIdentityPem,
  request: EnrollRequest,
  nowMs: () => number,
  signal?: AbortSignal,
): Promise<CertificateResponse> => call(address, identity, nowMs, 'enroll', request, signal);

export const callRenew = (
  address: string,
  identity: ClientIdentityPem,
  request: RenewRequest,
  nowMs: () => number,
  signal?: AbortSignal,
): Promise<CertificateResponse> => call(address, identity, nowMs, 'renew', request, signal);

const call = (
  address: string,
  identity: ClientIdentityPem,
  nowMs: () => number,
  verb: 'enroll' | 'renew',
  request: EnrollRequest | RenewRequest,
  signal: AbortSignal | undefined,
): Promise<CertificateResponse> => {
  const client = enrollmentChannel(address, identity, nowMs);
  let cancel = (): void => {};
  return new Promise<CertificateResponse>((resolve, reject) => {
    const options = { deadline: Date.now() + CALL_DEADLINE_MS };
    const settle = (error: ServiceError | null, answer?: CertificateResponse): void =>
      error ? reject(asFleetError(error, address)) : resolve(answer as CertificateResponse);
    const running =
      verb === 'enroll'
        ? client.enroll(request as EnrollRequest, new Metadata(), options, settle)
        : client.renew(request as RenewRequest, new Metadata(), options, settle);
    cancel = () => running.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
  }).finally(() => {
    signal?.removeEventListener('abort', cancel);
    client.close();
  });
};

const asFleetError = (error: ServiceError, address: string): FleetError =>
  new FleetError((status[error.code] as FleetErrorCode) ?? 'INTERNAL', `${address}: ${error.details}`, {
    cause: error,
  });
