/** What watchers are told of how their view stands: the host's own word, and beside it the line to the host. Pure. */
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { TerminalEnd, TerminalStatus } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { Link } from '../../src/wire/gen/fleet/v1/types.ts';

export interface StandingOfView {
  record: HostAgentRecord | undefined;
  view: Pick<FleetView, 'say'>;
  /** The host's last word; null before its first. */
  told: TerminalStatus | null;
  /** Who watches here. */
  names: string[];
  /** When the host last proved what it showed. */
  provenMono: number;
  brokenSinceMono: number | null;
  nowMono: number;
}

export const toldStatus = (standing: StandingOfView): TerminalStatus => {
  const { record, view, told, names, provenMono, brokenSinceMono, nowMono } = standing;
  return {
    source: told?.source ?? '',
    polledBecause: told?.polledBecause ?? '',
    // The host knows those who watch there as well; while it cannot be heard, those here are all that is known.
    watchers: brokenSinceMono === null && told !== null ? told.watchers : names,
    writer: told?.writer ?? '',
    link: record && linkOf(record, view, brokenSinceMono, nowMono),
    silentMs: Math.max(0, nowMono - provenMono),
    paneDead: told?.paneDead ?? false,
  };
};

/** A line that stands again is resuming until the host has shown something through it. */
const linkOf = (
  record: HostAgentRecord,
  view: Pick<FleetView, 'say'>,
  brokenSinceMono: number | null,
  nowMono: number,
): Link => {
  const { state, reason, ageMs } = view.say(record).link;
  if (state !== 'connected' || brokenSinceMono === null) return { state, reason: reason ?? undefined, ageMs };
  return { state: 'resuming', reason: 'stream_closed', ageMs: nowMono - brokenSinceMono };
};

const MAX_NAMES = 1_000;
const MAX_NAME_CHARACTERS = 128;
const MAX_WORDS_CHARACTERS = 300;

/** As a host may say it: all who watch are told of it, over and over. */
export const boundedStatus = (status: TerminalStatus): TerminalStatus => ({
  ...status,
  source: status.source.slice(0, MAX_NAME_CHARACTERS),
  polledBecause: status.polledBecause.slice(0, MAX_WORDS_CHARACTERS),
  watchers: status.watchers.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME_CHARACTERS)),
  writer: status.writer.slice(0, MAX_NAME_CHARACTERS),
});

export const boundedEnd = (end: TerminalEnd): TerminalEnd => ({
  ...end,
  reason: end.reason.slice(0, MAX_NAME_CHARACTERS),
  detail: end.detail.slice(0, MAX_WORDS_CHARACTERS),
});
