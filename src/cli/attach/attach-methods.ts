/** The RPCs of a takeover, apart from the others so that no other verb loads their codecs. */
import * as orders from '../../wire/gen/fleet/v1/orders.ts';
import { methodOf } from '../client/methods.ts';

const path = (name: string): string => `/fleet.v1.FleetService/${name}`;

export const holdTerminal = methodOf(path('HoldTerminal'), orders.HoldTerminalRequest, orders.HoldTerminalResponse);
export const typeKeys = methodOf(path('TypeKeys'), orders.TypeKeysRequest, orders.TypeKeysResponse);
