/**
 * What grants say of what the view holds. A peer's grants are judged by the very record, and never reach beyond this
 * cell's own: what another cell granted here is passed on to nobody.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { AgentPlace, GrantPlace, GrantVerb } from '../../src/domain/grant.ts';
import type { AgentRecord, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { rowMarksOf } from '../../src/wire/agent-row.ts';
import type { RefusalReason } from '../../src/wire/errors.ts';
import type { HeldGrants } from './peer-grants.ts';

/** Whose host it is; null for what is no host-agent of this cell. */
const placeOf = (id: string, tenantId: string): GrantPlace | null => {
  const [host = '', user = '', ...more] = id.split('/');
  return user === '' || more.length > 0 ? null : { tenantId, host, user };
};

/** null also for a row that cannot be read: nothing is granted of it. */
export const agentPlaceOf = ({ hostAgent, tenantId, row }: AgentRecord): AgentPlace | null => {
  const place = placeOf(hostAgent, tenantId);
  try {
    return place && { ...place, agent: rowMarksOf(row).agent };
  } catch {
    return null;
  }
};

export const isGranted = (grants: HeldGrants, verb: GrantVerb, record: AgentRecord): boolean => {
  const place = agentPlaceOf(record);
  return place !== null && grants.now.allows(verb, place);
};

/** Whether rows of it may be there for a peer. */
export const isReached = (grants: HeldGrants, { id, tenantId }: HostAgentRecord): boolean => {
  const place = placeOf(id, tenantId);
  return place !== null && grants.now.reaches(place);
};

/** What was granted a moment ago ended, and whatever went on by it. Told to the peer whose it was. */
export class GrantEnded extends FleetError {
  override readonly name = 'GrantEnded';
  readonly reason: RefusalReason;

  constructor(how: 'expired' | 'revoked') {
    super('PERMISSION_DENIED', `the grant for this ${how === 'expired' ? 'has expired' : 'was revoked'}`);
    this.reason = how === 'expired' ? 'grant_expired' : 'grant_revoked';
  }
}

/** Another set of grants counts from now on: what was told of rows by the old one is to be asked for anew. */
export class GrantsChanged extends FleetError {
  override readonly name = 'GrantsChanged';
  readonly reason: RefusalReason = 'grants_changed';

  constructor() {
    super('ABORTED', 'what is granted has changed: ask again for the rows', { retryable: true });
  }
}
