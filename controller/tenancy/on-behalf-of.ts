/** For whom a call is made: what a peer's controller says of its own people, and how a caller is named to a host. */
import { FleetError } from '../../src/domain/errors.ts';
import { ROLES, type Role } from '../../src/domain/role.ts';
import { isIdentityName, parseSpiffeId } from '../../src/identity/spiffe-id.ts';
import { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { Caller, SpokenFor } from './caller.ts';

/** Metadata of a call between controllers: an encoded OnBehalfOf. */
export const ON_BEHALF_OF_KEY = 'fleet-on-behalf-of-bin';

const MAX_BYTES = 1_024;
/** What a role is worth in another cell: grants say what may be done, and nobody administers from there. */
const MOST: Role = 'operator';

/**
 * Of one hop only: an operator or host-agent of exactly the caller's own domain. INVALID_ARGUMENT for what cannot be read,
 * PERMISSION_DENIED for what is not the caller's to say.
 */
export const spokenFor = (caller: Pick<Caller, 'kind' | 'cell'>, bytes: Uint8Array): SpokenFor => {
  if (caller.kind !== 'controller') throw refused('only another cell’s controller speaks for others');
  const told = decoded(bytes);
  if (told.federated) throw refused('it was spoken for once already: one cell speaks to another, no further');
  const id = parseSpiffeId(told.actor);
  if (id === null || id.kind === 'controller') throw refused('an operator or a host-agent is spoken for');
  if (id.cell !== caller.cell) throw refused('a controller speaks for its own cell only');
  const name = id.kind === 'host' ? `${id.user}@${id.host}` : id.name;
  const role = ROLES.find((each) => each === told.role) ?? 'viewer';
  return {
    actor: told.actor,
    name: `${id.cell}/${name}`,
    role: ROLES.indexOf(role) > ROLES.indexOf(MOST) ? MOST : role,
    tenantId: isIdentityName(told.tenantId) ? `${id.cell}/${told.tenantId}` : '',
  };
};

/** A caller as its target's host is told of it; `localName` names whoever reaches the admin socket: user@machine. */
export const onBehalfOf = (caller: Caller, localName: string): OnBehalfOf => {
  const { kind, user, host } = caller;
  const own = {
    actor: caller.spiffeId ?? `local:${localName}`,
    name: kind === 'local' ? localName : kind === 'host' ? `${user}@${host}` : caller.name,
    role: caller.role,
    tenantId: caller.tenantId,
  };
  return { ...own, ...caller.onBehalfOf, kind, federated: kind === 'controller' };
};

const decoded = (bytes: Uint8Array): OnBehalfOf => {
  if (bytes.length > MAX_BYTES) throw unreadable();
  try {
    return OnBehalfOf.decode(bytes);
  } catch {
    throw unreadable();
  }
};

const unreadable = (): FleetError => new FleetError('INVALID_ARGUMENT', `${ON_BEHALF_OF_KEY} cannot be read`);
const refused = (why: string): FleetError => new FleetError('PERMISSION_DENIED', `not permitted: ${why}`);
