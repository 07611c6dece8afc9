/**
 * The door's table: which kind of caller may make which call. A call without a row is refused to everybody, and a
 * test fails for a method of any service that has none.
 */
import { ROLES, type Role } from '../../src/domain/role.ts';
import type { Caller, CallerKind, Verb } from '../tenancy/caller.ts';

export interface AccessRule {
  kinds: readonly CallerKind[];
  verb: Verb;
  /** Least role, for callers whose role is looked up; hosts and strangers are bounded by `verb`. */
  role: Role;
  /**
   * before: on disk before the effect, denials too. queued: recorded when there is room.
   * self: the handler records, once it knows that the caller is no mere noise. none: proof of life only.
   */
  audit: 'before' | 'queued' | 'self' | 'none';
  /** Another cell's controller names one of its people for whom it calls. */
  onBehalf: boolean;
}

const rule = (
  kinds: readonly CallerKind[],
  verb: Verb,
  role: Role,
  audit: AccessRule['audit'],
  onBehalf = false,
): AccessRule => ({ kinds, verb, role, audit, onBehalf });

/** What a grant can carry; which of it one does is judged by the record. */
const granted = (verb: Verb, role: Role, audit: AccessRule['audit']): AccessRule =>
  rule(GRANTED, verb, role, audit, true);

const READERS = ['host', 'operator', 'local'] as const;
const GRANTED = [...READERS, 'controller'] as const;
const KNOWN = ['host', 'operator', 'controller', 'local'] as const;
const ADMINS = ['operator', 'local'] as const;

export const ACCESS: ReadonlyMap<string, AccessRule> = new Map([
  ['/fleet.v1.FleetService/WatchAgents', rule(GRANTED, 'read', 'viewer', 'queued')],
  ['/fleet.v1.FleetService/WatchEvents', rule(READERS, 'read', 'viewer', 'queued')],
  ['/fleet.v1.FleetService/WhoAmI', rule(GRANTED, 'read', 'viewer', 'queued')],
  ['/fleet.v1.FleetService/Diagnose', rule(READERS, 'read', 'viewer', 'queued')],
  ['/fleet.v1.FleetService/WatchTerminal', granted('read', 'viewer', 'queued')],
  ['/fleet.v1.FleetService/TailTerminal', granted('read', 'viewer', 'queued')],
  ['/fleet.v1.FleetService/ExplainAgent', granted('read', 'viewer', 'queued')],
  ['/fleet.v1.FleetService/GetOrder', granted('read', 'viewer', 'queued')],
  // Who did what on a host, and what it keeps of the cell's audit.
  ['/fleet.v1.FleetService/ListOrders', rule(READERS, 'read', 'operator', 'queued')],
  ['/fleet.v1.FleetService/GetAuditHeads', rule(READERS, 'read', 'operator', 'queued')],
  ['/fleet.v1.FleetService/SendText', granted('send', 'operator', 'before')],
  ['/fleet.v1.FleetService/PressKeys', granted('send', 'operator', 'before')],
  ['/fleet.v1.FleetService/AnswerPrompt', granted('send', 'operator', 'before')],
  ['/fleet.v1.FleetService/ControlAgent', granted('lifecycle', 'operator', 'before')],
  ['/fleet.v1.FleetService/GetRoster', rule(READERS, 'read', 'operator', 'queued')],
  ['/fleet.v1.FleetService/PutRoster', rule(READERS, 'deploy', 'operator', 'before')],
  ['/fleet.v1.FleetService/PutIntent', rule(READERS, 'deploy', 'operator', 'before')],
  ['/fleet.v1.FleetService/GetIntent', rule(READERS, 'read', 'operator', 'queued')],
  ['/fleet.v1.FleetService/HoldTerminal', granted('takeover', 'operator', 'before')],
  // Its lease was audited.
  ['/fleet.v1.FleetService/TypeKeys', granted('takeover', 'operator', 'none')],
  ['/fleet.v1.HostAgentService/Connect', rule(['host'], 'report', 'viewer', 'queued')],
  ['/fleet.v1.HostAgentService/Tunnel', rule(['host'], 'report', 'viewer', 'queued')],
  ['/fleet.v1.EnrollmentService/Enroll', rule(['none', 'host'], 'enroll', 'viewer', 'self')],
  ['/fleet.v1.EnrollmentService/Renew', rule(['none', 'host', 'operator'], 'enroll', 'viewer', 'self')],
  ['/fleet.v1.EnrollmentService/JoinPeer', rule(['none'], 'enroll', 'viewer', 'self')],
  ['/fleet.v1.EnrollmentService/RefreshPeer', rule(['controller'], 'read', 'viewer', 'self')],
  ['/fleet.v1.EnrollmentService/GetTrustBundle', rule(KNOWN, 'read', 'viewer', 'queued')],
  ['/fleet.v1.AdminService/CreateToken', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/ListTokens', rule(ADMINS, 'admin', 'admin', 'queued')],
  ['/fleet.v1.AdminService/WithdrawTokens', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/RemoveHost', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/Listen', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/AllowVerbs', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/ListIdentities', rule(ADMINS, 'admin', 'admin', 'queued')],
  ['/fleet.v1.AdminService/ControllerStatus', rule(ADMINS, 'admin', 'viewer', 'queued')],
  ['/fleet.v1.AdminService/WatchAudit', rule(ADMINS, 'admin', 'admin', 'queued')],
  ['/fleet.v1.AdminService/AddGrant', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/ListGrants', rule(ADMINS, 'admin', 'admin', 'queued')],
  ['/fleet.v1.AdminService/RevokeGrant', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/VerifyAudit', rule(ADMINS, 'admin', 'admin', 'queued')],
  ['/fleet.v1.AdminService/InvitePeer', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/AcceptPeer', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/ListPeers', rule(ADMINS, 'admin', 'admin', 'queued')],
  ['/fleet.v1.AdminService/SetPeerTenants', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/RemovePeer', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/RotateAuthority', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/AuthorityStatus', rule(ADMINS, 'admin', 'admin', 'queued')],
  // It holds the cell's keys: they stay on their machine.
  ['/fleet.v1.AdminService/BackUp', rule(['local'], 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/InviteOperator', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/ListOperators', rule(ADMINS, 'admin', 'admin', 'queued')],
  ['/fleet.v1.AdminService/RevokeOperator', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/AddTenant', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/ListTenants', rule(ADMINS, 'admin', 'admin', 'queued')],
  ['/fleet.v1.AdminService/RemoveTenant', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/BindTenant', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/UnbindTenant', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/fleet.v1.AdminService/QuarantineHost', rule(ADMINS, 'admin', 'admin', 'before')],
  ['/grpc.health.v1.Health/Check', rule(READERS, 'read', 'viewer', 'none')],
  ['/grpc.health.v1.Health/Watch', rule(READERS, 'read', 'viewer', 'none')],
  ['/grpc.health.v1.Health/List', rule(READERS, 'read', 'viewer', 'none')],
  // Its library writes on whether it is read or not: for those who are let in by name only.
  ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', rule(ADMINS, 'read', 'viewer', 'none')],
  ['/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', rule(ADMINS, 'read', 'viewer', 'none')],
]);

/** A host in quarantine makes no call but those that report and renew. */
export const isHeldBack = ({ verb }: AccessRule, { quarantined }: Pick<Caller, 'quarantined'>): boolean =>
  quarantined === true && verb !== 'report' && verb !== 'enroll';

/** The objection to a host that is held back. */
export const HELD_BACK = 'in quarantine';

/** Why a caller may not make a call of this kind, for the log; null when it may. */
export const objectionTo = (rule: AccessRule | undefined, caller: Caller): string | null => {
  if (rule === undefined) return 'no such call';
  if (!rule.kinds.includes(caller.kind)) return `not for ${caller.kind === 'none' ? 'strangers' : caller.kind}`;
  if (!caller.verbs.includes(rule.verb)) return `verb ${rule.verb} is not theirs`;
  if (isHeldBack(rule, caller)) return HELD_BACK;
  const looksUp = caller.kind === 'operator';
  return looksUp && ROLES.indexOf(caller.role) < ROLES.indexOf(rule.role) ? `needs the role ${rule.role}` : null;
};
