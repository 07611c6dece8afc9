/** RPCs about grants, apart from the others of the administrator. */
import * as grants from '../../wire/gen/fleet/v1/grants.ts';
import { methodOf } from './methods.ts';

const path = (name: string): string => `/fleet.v1.AdminService/${name}`;

export const addGrant = methodOf(path('AddGrant'), grants.AddGrantRequest, grants.AddGrantResponse);
export const listGrants = methodOf(path('ListGrants'), grants.ListGrantsRequest, grants.ListGrantsResponse);
export const revokeGrant = methodOf(path('RevokeGrant'), grants.RevokeGrantRequest, grants.RevokeGrantResponse);
