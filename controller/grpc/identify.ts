/** From a connection to the caller on it, by what is enrolled, trusted and granted now. */
import type { TrustBundles } from '../../src/identity/trust.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Records } from '../store/records.ts';
import { LOCAL_CALLER } from '../tenancy/caller.ts';
import type { PeerGrants } from '../tenancy/peer-grants.ts';
import type { Transport } from './admission.ts';
import { type Authentication, authenticate } from './authenticate.ts';

export interface IdentifyContext {
  records: Records;
  bundles: () => TrustBundles;
  /** Without them nobody is a peer. */
  grants?: PeerGrants;
  /** Authorities that the cell trusted once: connections of theirs may live on. */
  retired?: () => TrustBundles;
  clock: Clock;
}

export const identify = (transport: Transport, context: IdentifyContext): Authentication => {
  if (transport.type === 'unix') return { caller: LOCAL_CALLER, refusal: '', reason: null };
  const { records, bundles, retired, grants, clock } = context;
  const held = grants === undefined ? {} : { grants };
  const now = { records, bundles: bundles(), retired: retired?.(), nowMs: clock.nowMs(), ...held };
  if (transport.leaf !== null) return authenticate(transport.leaf, transport.peer, now);
  const told = authenticate(transport.shown, transport.peer, now);
  const nobody = authenticate(null, transport.peer, now);
  // The handshake did not accept what was shown, whatever we think of it: it proves nothing here.
  return told.caller.kind === 'none'
    ? told
    : { ...nobody, refusal: 'certificate not accepted in the handshake', reason: 'certificate_expired' };
};
