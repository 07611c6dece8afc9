/** WatchTerminal of the controller: whoever may see the agent reads from the one picture of it that is kept while anybody does. */
import type { Clock } from '../../src/runtime/clock.ts';
import { tightSink } from '../../src/runtime/tight-sink.ts';
import { streamScreen } from '../../src/screen/stream-screen.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import { openLeave } from '../dispatch/open-leave.ts';
import type { Handlers } from '../grpc/handlers.ts';
import type { Records } from '../store/records.ts';
import { actorOf } from '../tenancy/caller.ts';
import { namedTo } from '../tenancy/named-to.ts';
import { onBehalfOf } from '../tenancy/on-behalf-of.ts';
import { isFederated, isVisible, visibleHostOf } from '../tenancy/visible.ts';
import type { HostCalls } from '../uplink/host-calls.ts';
import type { Tunnels } from '../uplink/tunnels.ts';
import { screenForPeer } from './screen-for-peer.ts';
import { WatchedAgent } from './watched-agent.ts';

export interface WatchTerminalOptions {
  view: FleetView;
  records: Records;
  calls: Pick<HostCalls, 'stream'>;
  tunnels: Pick<Tunnels, 'onChange'>;
  clock: Clock;
  /** user@machine of whoever reaches the admin socket. */
  localName: string;
}

export const watchTerminalHandler = (
  options: WatchTerminalOptions,
): Handlers<typeof FleetServiceService>['watchTerminal'] => {
  const watched = new Map<string, WatchedAgent>();
  return async (caller, request, call, { signal }) => {
    const record = visibleHostOf(options.view, caller, request, 'watch');
    // A peer has leave for as long as its grant stands; of a host that is removed everybody else is told as its watchers.
    using grant = caller.grants === null ? null : openLeave(options, caller, null, request, signal);
    const leave = grant?.signal ?? signal;
    const { hostAgent, key, minIntervalMs } = request;
    // A peer is told of each who watches by name.
    const id = `${hostAgent}\n${key}${isFederated(record) ? `\n${actorOf(caller)}` : ''}`;
    const held = watched.get(id);
    const agent = held === undefined || held.isOver ? new WatchedAgent(hostAgent, key, options) : held;
    watched.set(id, agent);
    const dropped = new AbortController();
    try {
      using _watcher = agent.join({
        caller: onBehalfOf(caller, options.localName),
        minIntervalMs,
        sees: (record) => isVisible(caller, record),
        drop: (error) => dropped.abort(error),
      });
      const over = AbortSignal.any([leave, dropped.signal]);
      const screen = caller.grants === null ? agent : screenForPeer(agent, namedTo(caller.cell, record.cell));
      await streamScreen(screen, minIntervalMs, tightSink(call), options.clock, over);
      if (!signal.aborted) over.throwIfAborted();
    } finally {
      if (agent.isOver && watched.get(id) === agent) watched.delete(id);
    }
  };
};
