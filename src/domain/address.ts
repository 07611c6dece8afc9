/**
 * An agent's address, `cell/host/user/agent`: any of these parts in order, the agent last. Inside a part `/`, `%`,
 * spaces, control and invisible characters are percent-encoded as UTF-8. Nothing here knows where agents are kept.
 */
import { FleetError } from './errors.ts';

export interface AgentAddress {
  cell: string;
  host: string;
  user: string;
  agent: string;
}

/** Something that an address can mean. */
export interface AddressTarget extends AgentAddress {
  /** On the machine that answers. */
  here: boolean;
}

/** What was typed: the agent and up to three qualifiers, decoded, in their order. */
export interface PartialAddress {
  qualifiers: string[];
  agent: string;
  text: string;
}

export interface ResolveScope {
  /** The cell whose agents need no `cell/`. */
  homeCell: string;
  /** Every host-agent in scope is connected, so a name that was not seen does not exist. */
  complete: boolean;
  /** `look`: any unambiguous address. `change`: no bare name in a partial view, no peer without its cell. */
  intent: 'look' | 'change' | 'destroy';
}

const ENCODED = /[/%\s\p{Cc}\p{Cf}\p{Z}]/gu;

const PLAIN = /^[!-$&-.0-~]*$/;

/** One part as it stands in an address, and as it can be typed back. */
export const encodePart = (part: string): string =>
  PLAIN.test(part) ? part : part.toWellFormed().replace(ENCODED, encodeURIComponent);

/** `cell/host/user`: of one host-agent. */
export const formatHostAddress = (address: Omit<AgentAddress, 'agent'>): string =>
  `${encodePart(address.cell)}/${encodePart(address.host)}/${encodePart(address.user)}`;

export const formatAddress = (address: AgentAddress): string =>
  `${formatHostAddress(address)}/${encodePart(address.agent)}`;

const WHOLE_PARTS = 4;

/** The agent of a whole address; empty of a host's. */
export const agentIn = (address: string): string =>
  address.split('/').length === WHOLE_PARTS ? parseAddress(address).agent : '';

/** Throws INVALID_ARGUMENT for empty parts, more than four, or a `%` that encodes nothing. */
export const parseAddress = (text: string): PartialAddress => {
  const parts = text.split('/').map((part) => decodePart(part, text));
  if (parts.length > WHOLE_PARTS) {
    throw new FleetError(
      'INVALID_ARGUMENT',
      `address "${text}" has ${parts.length} parts; at most cell/host/user/agent (write a / inside a name as %2F)`,
    );
  }
  return { qualifiers: parts.slice(0, -1), agent: parts.at(-1) as string, text };
};

const decodePart = (part: string, text: string): string => {
  if (part === '') throw new FleetError('INVALID_ARGUMENT', `address "${text}" has an empty part`);
  try {
    return decodeURIComponent(part);
  } catch {
    throw new FleetError('INVALID_ARGUMENT', `address "${text}": "${part}" has a bad %-code (a plain % is %25)`);
  }
};

/** The one target meant. Throws NOT_FOUND for none or several (candidates listed), FAILED_PRECONDITION for unsafe ones. */
export const resolveAddress = <T extends AddressTarget>(
  address: PartialAddress,
  targets: Iterable<T>,
  scope: ResolveScope,
): T => {
  const all = [...targets];
  const named = all.filter((target) => target.agent === address.agent && matches(address.qualifiers, target));
  const home = named.filter((target) => target.cell === scope.homeCell || namesCell(address.qualifiers, target));
  const allowed = scope.intent === 'look' ? named : allowedForChange(address, home, scope);
  if (allowed.length === 1) return allowed[0] as T;
  if (allowed.length > 1) throw severalFound(address, allowed);
  throw noneFound(address, all, named);
};

/** Whether an agent of that host-agent could be meant. */
export const mayBeOn = (address: PartialAddress, place: Omit<AgentAddress, 'agent'>): boolean =>
  matches(address.qualifiers, place);

const matches = (qualifiers: readonly string[], target: Omit<AgentAddress, 'agent'>): boolean => {
  let from = 0;
  const parts = [target.cell, target.host, target.user];
  for (const qualifier of qualifiers) {
    const at = parts.indexOf(qualifier, from);
    if (at < 0) return false;
    from = at + 1;
  }
  return true;
};

const namesCell = (qualifiers: readonly string[], target: AgentAddress): boolean =>
  qualifiers[0] === target.cell && matches(qualifiers, target);

/** A bare name may have a twin on a host that does not answer; a destroying verb needs its machine spelled out. */
const allowedForChange = <T extends AddressTarget>(address: PartialAddress, found: T[], scope: ResolveScope): T[] => {
  const bare = address.qualifiers.length === 0;
  const here = found.filter((target) => target.here);
  if (bare && !scope.complete && here.length > 0) return here;
  const [only] = found;
  if (!only || found.length > 1 || only.here) return found;
  const why =
    scope.intent === 'destroy' && !address.qualifiers.includes(only.host)
      ? 'is on another machine'
      : bare && !scope.complete
        ? 'was found elsewhere, and not every host answers'
        : null;
  if (why === null) return found;
  throw new FleetError('FAILED_PRECONDITION', `"${address.text}" ${why}: write ${formatAddress(only)}`);
};

const MAX_LISTED = 8;

const list = (targets: readonly AgentAddress[]): string => {
  const shown = targets.slice(0, MAX_LISTED).map(formatAddress).join(', ');
  return targets.length > MAX_LISTED ? `${shown} and ${targets.length - MAX_LISTED} more` : shown;
};

const severalFound = (address: PartialAddress, found: readonly AgentAddress[]): FleetError =>
  new FleetError('NOT_FOUND', `"${address.text}" means ${found.length} agents: ${list(found)}`);

const noneFound = (
  address: PartialAddress,
  all: readonly AgentAddress[],
  peers: readonly AgentAddress[],
): FleetError => {
  if (peers.length > 0) {
    return new FleetError(
      'NOT_FOUND',
      `"${address.text}" exists in another cell only; for a change write ${list(peers)}`,
    );
  }
  const sessions = all.filter((target) => target.agent.endsWith(`:${address.agent}`));
  if (sessions.length > 0) {
    return new FleetError('NOT_FOUND', `"${address.text}" is on several sockets: ${list(sessions)}`);
  }
  const elsewhere = all.filter((target) => target.agent === address.agent);
  const hint = elsewhere.length > 0 ? `there is ${list(elsewhere)}` : 'fleet ps lists them';
  return new FleetError('NOT_FOUND', `no agent "${address.text}": ${hint}`);
};
