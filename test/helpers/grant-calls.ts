import { methodOf } from '../../src/cli/client/methods.ts';
import * as grants from '../../src/wire/gen/fleet/v1/grants.ts';

const path = (name: string): string => `/fleet.v1.AdminService/${name}`;

export const addGrant = methodOf(path('AddGrant'), grants.AddGrantRequest, grants.AddGrantResponse);
export const revokeGrant = methodOf(path('RevokeGrant'), grants.RevokeGrantRequest, grants.RevokeGrantResponse);
