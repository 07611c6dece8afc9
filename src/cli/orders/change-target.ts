/** The agent that an order is meant for: the only one that its address names, as its row says now. */
import { encodePart, formatAddress, type PartialAddress, parseAddress, resolveAddress } from '../../domain/address.ts';
import type { AgentRow } from '../../domain/agent-row.ts';
import { FleetError } from '../../domain/errors.ts';
import type { HostMoment } from '../../domain/make-views.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { OrderTarget } from '../../wire/gen/fleet/v1/orders.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import { isComplete } from '../picture.ts';
import { fine } from '../render/duration.ts';

/** Where an order goes to. */
export interface OrderPlace {
  /** `cell/host/user/agent`. */
  address: string;
  /** What a person types for it: without the cell at home. */
  typed: string;
  cell: string;
  /** `host/user`. */
  hostAgent: string;
  key: string;
  /** The host-agent that is asked is its own. */
  here: boolean;
  moment: HostMoment;
}

export interface AgentTarget extends OrderPlace {
  row: AgentRow;
}

export type ChangeTarget = AgentTarget & { target: OrderTarget };

/** Throws NOT_FOUND for none or several; `change` resolves no bare name into what is not seen whole. */
export const findAgent = async (
  paths: Paths,
  typed: string,
  intent: 'look' | 'change' | 'destroy',
  signal: AbortSignal,
): Promise<AgentTarget> => {
  const address = parseAddress(typed);
  const mirror = await takeSnapshot(paths, { localOnly: false, hostsOnly: false, clock: systemClock, signal });
  return agentIn(mirror, address, intent);
};

/** Several agents can be found in one snapshot. */
export const agentIn = (
  mirror: ViewMirror,
  address: PartialAddress,
  intent: 'look' | 'change' | 'destroy',
): AgentTarget => {
  const nowMono = systemClock.monotonicMs();
  const moments = [...mirror.hostAgentIds()].flatMap((id) => mirror.momentOf(id, nowMono) ?? []);
  // A bare name means one of this cell alone, whatever is not heard of others.
  const own = moments.filter(({ host }) => host.cell === mirror.cell);
  const complete = isComplete(intent === 'look' ? moments : own, mirror.upstreamAt(nowMono), false, []);
  const found = resolveAddress(address, candidates(mirror, moments), { homeCell: mirror.cell, complete, intent });
  const { row, moment } = found;
  const whole = formatAddress(found);
  return {
    address: whole,
    typed: found.cell === mirror.cell ? whole.slice(encodePart(found.cell).length + 1) : whole,
    cell: found.cell,
    hostAgent: moment.host.id,
    key: row.key,
    row,
    here: moment.host.here,
    moment,
  };
};

/** Throws UNAVAILABLE when its row is not current, FAILED_PRECONDITION when it has no pane to type into. */
export const changeTarget = async (
  paths: Paths,
  typed: string,
  signal: AbortSignal,
  intent: 'change' | 'destroy' = 'change',
): Promise<ChangeTarget> => {
  const agent = await findAgent(paths, typed, intent, signal);
  const { moment, row } = agent;
  if (!moment.current) {
    const { state, reason } = moment.link;
    const link = state === 'connected' ? 'silent' : `${state}${reason === null ? '' : `, ${reason}`}`;
    throw new FleetError(
      'UNAVAILABLE',
      `the row of ${agent.address} is not current (${link}, last heard ${fine(moment.observedAgeSeconds)} ago): ` +
        `nothing was typed; fleet doctor ${moment.host.id} says why`,
    );
  }
  const { paneId, pid } = row.tmux ?? { paneId: null, pid: null };
  if (paneId === null || pid === null) {
    const why = row.tmux === null ? 'has no session' : 'has several panes, or none that is its own';
    throw new FleetError('FAILED_PRECONDITION', `${agent.address} ${why} (${row.readiness}): nothing was typed`);
  }
  return { ...agent, target: { hostAgent: agent.hostAgent, key: agent.key, paneId, panePid: pid } };
};

function* candidates(mirror: ViewMirror, moments: readonly HostMoment[]) {
  const own = moments.find(({ host }) => host.here)?.host;
  for (const moment of moments) {
    const { cell, host, user, id } = moment.host;
    for (const { row } of mirror.rowsOf(id))
      yield { cell, host, user, agent: row.agent, here: cell === own?.cell && host === own.host, row, moment };
  }
}
