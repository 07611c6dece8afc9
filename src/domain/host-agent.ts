import type { Open } from './agent-row.ts';
import type { Behind } from './intent.ts';

/** The host's own word about what may be done there; each level includes those before it. */
export const CONTROL_LEVELS = ['observe', 'send', 'lifecycle', 'deploy'] as const;
export type ControlLevel = (typeof CONTROL_LEVELS)[number];

const LINK_STATES = ['connected', 'resuming', 'unconfirmed', 'lost'] as const;
export type LinkState = (typeof LINK_STATES)[number];

export const LINK_REASONS = [
  'stopped',
  'stream_closed',
  'silent',
  'superseded',
  'duplicate_identity',
  'controller_started',
  'controller_paused',
  'controller_unreachable',
  'tunnel_down',
  'certificate_expired',
  'not_yet_valid',
  'revoked',
  'version',
] as const;
export type LinkReason = (typeof LINK_REASONS)[number];

/** What a host-agent says of itself with every beat; stamps are its wall clock in milliseconds. */
export interface HostFacts {
  hostNowMs: number;
  version: string;
  /** `<version>-<digest>` of the installed version that it runs; empty where it runs from none, or does not say. */
  build: string;
  control: Open<ControlLevel>;
  warnings: string[];
  certificateNotAfterMs: number | null;
  via: Open<'dial' | 'ssh'> | null;
  agents: number;
  needs: number;
  machineId: string;
  capabilities: string[];
}

export interface Link {
  state: Open<LinkState>;
  reason: Open<LinkReason> | null;
  /** Time in this state, by the clock of whoever says it. */
  ageMs: number;
}

/** A host-agent as one FleetService sees it at the moment of saying. */
export interface HostAgent {
  /** `host/user`, unique in the cell. */
  id: string;
  cell: string;
  host: string;
  user: string;
  tenantId: string;
  link: Link;
  /** null until this host-agent has spoken once. */
  facts: HostFacts | null;
  /** Since its last beat or row was heard. */
  heardAgeMs: number;
  /** Its wall clock minus the receiver's, judged at the last beat; positive means ahead. */
  clockSkewMs: number | null;
  /** It is the host-agent that answers this call. */
  here: boolean;
  /** null: it was told all that it should have been. */
  behind: Behind | null;
  /** It may report and nothing else; unset where nobody says so. */
  quarantined?: boolean;
}

export const hostAgentId = (host: string, user: string): string => `${host}/${user}`;
