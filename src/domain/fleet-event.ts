/** What happened to an agent or a host, as it may be kept: codes and names, never a text of a screen. */
import type { Open } from './agent-row.ts';

/** waiting: it is available, and waits for work. blocked: it waits for a person. */
const EVENT_KINDS = [
  'up',
  'down',
  'drift',
  'blocked',
  'waiting',
  'host-lost',
  'host-back',
  'order-done',
  'watch-begin',
  'watch-end',
  'takeover-begin',
  'takeover-end',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface FleetEvent {
  kind: Open<EventKind>;
  /** Wall clock of the daemon that saw it. */
  atMs: number;
  cell: string;
  host: string;
  user: string;
  tenantId: string;
  /** Empty for a host's own, as are the fields below where they say nothing. */
  agent: string;
  reason: string;
  reasonCode: string;
  promptId: string;
  orderId: string;
  verb: string;
  outcome: string;
  actor: string;
}

export const NOTHING_SAID = {
  agent: '',
  reason: '',
  reasonCode: '',
  promptId: '',
  orderId: '',
  verb: '',
  outcome: '',
  actor: '',
} as const;
