/**
 * WatchAgents to a peer: what it was granted when the stream began, and nothing of how this cell does. It ends when the
 * grants change, so that the peer asks anew and holds nothing that is granted no more.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import { callSink } from '../../src/runtime/message-sink.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { streamView, type ViewScope } from '../../src/view/view-stream.ts';
import type { Upstream, WatchAgentsRequest, WatchAgentsResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import { GrantsChanged } from '../tenancy/granted.ts';
import { namedTo } from '../tenancy/named-to.ts';
import type { HeldGrants } from '../tenancy/peer-grants.ts';
import { GrantedRows } from './granted-rows.ts';

export const UPSTREAM_FOR_PEERS: Upstream = { state: 'self', address: '', ageMs: 0, peers: [] };

type Call = Parameters<typeof callSink<WatchAgentsResponse>>[0];

export const streamToPeer = async (
  view: FleetView,
  request: WatchAgentsRequest,
  { grants, ...scope }: ViewScope & { grants: HeldGrants },
  call: Call,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  const changed = new AbortController();
  using _grants = grants.onChange(() => changed.abort(new GrantsChanged()));
  const lens = new GrantedRows(view, grants.now, namedTo(scope.caller.name, scope.cell));
  const over = AbortSignal.any([signal, changed.signal]);
  await streamView(view, request, { ...scope, lens, upstream: () => UPSTREAM_FOR_PEERS }, callSink(call), clock, over);
  if (!signal.aborted) changed.signal.throwIfAborted();
};
