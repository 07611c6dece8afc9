/** RPCs of AdminService, apart from the others so that a `ps` does not load their codecs. */
import * as admin from '../../wire/gen/fleet/v1/admin_messages.ts';
import * as audit from '../../wire/gen/fleet/v1/audit.ts';
import * as backup from '../../wire/gen/fleet/v1/backup.ts';
import * as operators from '../../wire/gen/fleet/v1/operators.ts';
import * as rotation from '../../wire/gen/fleet/v1/rotation.ts';
import * as tenants from '../../wire/gen/fleet/v1/tenants.ts';
import { methodOf } from './methods.ts';

const path = (name: string): string => `/fleet.v1.AdminService/${name}`;

export const createToken = methodOf(path('CreateToken'), admin.CreateTokenRequest, admin.CreateTokenResponse);
export const listTokens = methodOf(path('ListTokens'), admin.ListTokensRequest, admin.ListTokensResponse);
export const withdrawTokens = methodOf(
  path('WithdrawTokens'),
  admin.WithdrawTokensRequest,
  admin.WithdrawTokensResponse,
);
export const removeHost = methodOf(path('RemoveHost'), admin.RemoveHostRequest, admin.RemoveHostResponse);
export const listen = methodOf(path('Listen'), admin.ListenRequest, admin.ListenResponse);
export const allowVerbs = methodOf(path('AllowVerbs'), admin.AllowVerbsRequest, admin.AllowVerbsResponse);
export const listIdentities = methodOf(
  path('ListIdentities'),
  admin.ListIdentitiesRequest,
  admin.ListIdentitiesResponse,
);
export const controllerStatus = methodOf(
  path('ControllerStatus'),
  admin.ControllerStatusRequest,
  admin.ControllerStatusResponse,
);
export const watchAudit = methodOf(path('WatchAudit'), audit.WatchAuditRequest, audit.WatchAuditResponse);
export const verifyAudit = methodOf(path('VerifyAudit'), audit.VerifyAuditRequest, audit.VerifyAuditResponse);
export const rotateAuthority = methodOf(
  path('RotateAuthority'),
  rotation.RotateAuthorityRequest,
  rotation.RotateAuthorityResponse,
);
export const authorityStatus = methodOf(
  path('AuthorityStatus'),
  rotation.AuthorityStatusRequest,
  rotation.AuthorityStatusResponse,
);
export const backUp = methodOf(path('BackUp'), backup.BackUpRequest, backup.BackUpResponse);
export const inviteOperator = methodOf(
  path('InviteOperator'),
  operators.InviteOperatorRequest,
  operators.InviteOperatorResponse,
);
export const listOperators = methodOf(
  path('ListOperators'),
  operators.ListOperatorsRequest,
  operators.ListOperatorsResponse,
);
export const revokeOperator = methodOf(
  path('RevokeOperator'),
  operators.RevokeOperatorRequest,
  operators.RevokeOperatorResponse,
);
export const addTenant = methodOf(path('AddTenant'), tenants.AddTenantRequest, tenants.AddTenantResponse);
export const listTenants = methodOf(path('ListTenants'), tenants.ListTenantsRequest, tenants.ListTenantsResponse);
export const removeTenant = methodOf(path('RemoveTenant'), tenants.RemoveTenantRequest, tenants.RemoveTenantResponse);
export const bindTenant = methodOf(path('BindTenant'), tenants.BindTenantRequest, tenants.BindTenantResponse);
export const unbindTenant = methodOf(path('UnbindTenant'), tenants.UnbindTenantRequest, tenants.UnbindTenantResponse);
export const quarantineHost = methodOf(
  path('QuarantineHost'),
  tenants.QuarantineHostRequest,
  tenants.QuarantineHostResponse,
);
