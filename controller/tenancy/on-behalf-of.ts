import type { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { Caller } from './caller.ts';

/** A caller as its target's host is told of it; `localName` names whoever reaches the admin socket: user@machine. */
export const onBehalfOf = (caller: Caller, localName: string): OnBehalfOf => ({
  actor: caller.spiffeId ?? `local:${localName}`,
  name: caller.kind === 'local' ? localName : caller.kind === 'host' ? `${caller.user}@${caller.host}` : caller.name,
  kind: caller.kind,
  role: caller.role,
  tenantId: caller.tenantId,
  federated: caller.kind === 'controller',
});
