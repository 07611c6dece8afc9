/**
 * Who a message's label says it is from: what the caller's identity proves. Only a host's callers say themselves which of
 * that user's sessions they are; nothing told replaces what is proven.
 */

import { OPERATOR_SESSION, UNPROVEN_SESSION } from '../../src/domain/sender.ts';
import type { OrderSender, SendTextRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { Caller } from '../tenancy/caller.ts';

/** Requests that are no message go on as they are. `localName` is user@machine of whoever reaches the admin socket. */
export const sentBy = <R>(caller: Caller, localName: string, request: R): R =>
  isMessage(request) ? { ...request, sender: senderOf(caller, localName, request.sender) } : request;

const senderOf = (caller: Caller, localName: string, told: OrderSender | undefined): OrderSender => {
  const session = told?.session || UNPROVEN_SESSION;
  if (caller.kind === 'host') return { host: caller.host, session };
  // A person's certificate proves no machine: the name on it stands in its place.
  if (caller.kind === 'operator') return { host: caller.name, session: OPERATOR_SESSION };
  if (caller.kind === 'local') return { host: localName.slice(localName.lastIndexOf('@') + 1), session };
  return { host: caller.onBehalfOf?.name ?? caller.name, session: UNPROVEN_SESSION };
};

const isMessage = (request: unknown): request is SendTextRequest => 'text' in (request as object);
