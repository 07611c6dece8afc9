/** GetRoster and PutRoster: of the host itself where it can be asked, else of the copy that was kept when it was applied. */
import { FleetError } from '../../src/domain/errors.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { GetRosterResponse } from '../../src/wire/gen/fleet/v1/roster.ts';
import { deployableNow } from '../dispatch/authorise.ts';
import type { Handlers } from '../grpc/handlers.ts';
import { onBehalfOf } from '../tenancy/on-behalf-of.ts';
import { visibleHost } from '../tenancy/visible.ts';
import type { HostCalls } from '../uplink/host-calls.ts';
import { lineWords } from '../uplink/line-words.ts';
import { type AppliedRosters, nothingStored } from './applied-rosters.ts';

export interface RosterCallsOptions {
  view: FleetView;
  calls: Pick<HostCalls, 'unary'>;
  applied: AppliedRosters;
  /** user@machine of whoever reaches the admin socket. */
  localName: string;
}

const ASK_DEADLINE_MS = 10_000;

export const rosterHandlers = ({
  view,
  calls,
  applied,
  localName,
}: RosterCallsOptions): Pick<Handlers<typeof FleetServiceService>, 'getRoster' | 'putRoster'> => ({
  getRoster: async (caller, request, { signal }) => {
    const { id, linkState } = visibleHost(view, caller, request.hostAgent);
    const stored = async (): Promise<GetRosterResponse> => {
      const copy = await applied.stored(id);
      if (copy === null) throw nothingStored(id, lineWords(view, id));
      return copy;
    };
    if (linkState !== 'connected') return await stored();
    try {
      const onward = { caller: onBehalfOf(caller, localName), signal, deadlineMs: ASK_DEADLINE_MS };
      const answer = await calls.unary(id, 'getRoster', request, onward);
      applied.heard(id, answer);
      return { ...answer, asOfMs: 0, stored: false };
    } catch (error) {
      if (signal.aborted || !isAway(error)) throw error;
      const copy = await applied.stored(id);
      if (copy === null) throw error;
      return copy;
    }
  },
  putRoster: async (caller, request, { signal }) => {
    const record = deployableNow(view, caller, request.hostAgent);
    return await applied.put(record, request, onBehalfOf(caller, localName), signal);
  },
});

/** It could not be reached, or its line broke: it said nothing of its roster. */
const isAway = (error: unknown): boolean =>
  error instanceof FleetError && (error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED');
