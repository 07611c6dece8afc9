/** A view with hosts of one user each, and what streamView says of it. */
import type { MessageSink } from '../../../src/runtime/message-sink.ts';
import type { FleetView } from '../../../src/view/fleet-view.ts';
import { streamView, type ViewScope } from '../../../src/view/view-stream.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import type { MovedClock } from '../../helpers/moved-clock.ts';

export const caller = { name: 'jarvis', role: 'operator', tenantId: 'default', kind: 'local' };
export const scope = (sees: (tenant: string) => boolean = () => true): ViewScope => ({
  cell: 'home',
  caller,
  sees: ({ tenantId }) => sees(tenantId),
  scope: '',
  hereOnly: false,
  upstream: () => ({ state: 'self', address: '', ageMs: 0, peers: [] }),
});

export const addHost = (view: FleetView, clock: MovedClock, host: string, tenantId = 'default') =>
  view.putHostAgent({
    id: `${host}/u`,
    cell: 'home',
    host,
    user: 'u',
    tenantId,
    here: false,
    linkState: 'connected',
    linkReason: null,
    linkSinceMono: clock.monotonicMs(),
    facts: null,
    heardAtMono: clock.monotonicMs(),
    clockSkewMs: null,
    behind: null,
  });

/** Of one snapshot, or of what is resumed; nothing is followed. */
export const framesOf = async (
  view: FleetView,
  clock: MovedClock,
  options: { token?: string; scope?: ViewScope } = {},
) => {
  const frames: WatchAgentsResponse[] = [];
  const sink: MessageSink<WatchAgentsResponse> = { write: (frame) => frames.push(frame) > 0, drained: async () => {} };
  const request = { follow: false, resumeToken: options.token ?? '', localOnly: false, hostsOnly: false };
  await streamView(view, request, options.scope ?? scope(), sink, clock, new AbortController().signal);
  return frames;
};
