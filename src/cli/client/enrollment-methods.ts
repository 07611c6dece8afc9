/** RPCs by which an operator's key gets its certificate, and keeps it. */
import * as enrollment from '../../wire/gen/fleet/v1/enrollment_messages.ts';
import * as rotation from '../../wire/gen/fleet/v1/rotation.ts';
import { methodOf } from './methods.ts';

const path = (name: string): string => `/fleet.v1.EnrollmentService/${name}`;

export const enroll = methodOf(path('Enroll'), enrollment.EnrollRequest, enrollment.CertificateResponse);
export const getTrustBundle = methodOf(
  path('GetTrustBundle'),
  rotation.GetTrustBundleRequest,
  rotation.GetTrustBundleResponse,
);
export const renew = methodOf(path('Renew'), enrollment.RenewRequest, enrollment.CertificateResponse);
