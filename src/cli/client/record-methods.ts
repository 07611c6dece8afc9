/** RPCs about what happened, apart from the others so that a `ps` does not load their codecs. */
import * as audit from '../../wire/gen/fleet/v1/audit.ts';
import * as events from '../../wire/gen/fleet/v1/events.ts';
import { methodOf } from './methods.ts';

const path = (name: string): string => `/fleet.v1.FleetService/${name}`;

export const listOrders = methodOf(path('ListOrders'), audit.ListOrdersRequest, audit.ListOrdersResponse);
export const getAuditHeads = methodOf(path('GetAuditHeads'), audit.GetAuditHeadsRequest, audit.GetAuditHeadsResponse);
export const watchEvents = methodOf(path('WatchEvents'), events.WatchEventsRequest, events.WatchEventsResponse);
