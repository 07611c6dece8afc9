/** The verbs about other cells, in one module. */

// As in machines.ts.
import './specs.ts';

export * as peerAccept from './peer-accept.ts';
export * as peerInvite from './peer-invite.ts';
export * as peerLs from './peer-ls.ts';
export * as peerRm from './peer-rm.ts';
export * as peerTenants from './peer-tenants.ts';
