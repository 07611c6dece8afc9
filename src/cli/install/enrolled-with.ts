/** Whether an identity belongs to one certain controller: by its authority's key, since two cells may share a name. */
import { authorityFingerprint } from '../../identity/authority.ts';
import { bundleFromPem } from '../../identity/trust.ts';

export const isEnrolledWith = (identity: { trustBundlePem: string }, controller: { fingerprint: string }): boolean => {
  try {
    return bundleFromPem(identity.trustBundlePem).some(
      (authority) => authorityFingerprint(authority) === controller.fingerprint,
    );
  } catch {
    return false;
  }
};
