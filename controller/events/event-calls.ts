/** WatchEvents of the controller: a reader is nothing but a revision, so a slow one holds nothing; tenants see their own. */
import type { Clock } from '../../src/runtime/clock.ts';
import { callSink } from '../../src/runtime/message-sink.ts';
import { Wake } from '../../src/runtime/wake.ts';
import { eventToWire } from '../../src/wire/fleet-event.ts';
import type { WatchEventsRequest } from '../../src/wire/gen/fleet/v1/events.ts';
import type { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import { isVisible } from '../tenancy/visible.ts';
import type { EventLog } from './event-log.ts';
import type { EventOwner } from './event-owner.ts';

type Fleet = typeof FleetServiceService;

const PAGE = 200;
/** A word at least this often, so that a reader knows a quiet stream from a dead one. */
const BEAT_MS = 2_000;

export const EVENT_TARGETS: Targets<Fleet> = {
  watchEvents: ({ follow, hosts }) => ({ target: hosts.join(' ').slice(0, 256), lasts: follow }),
};

export const eventHandlers = (log: EventLog, clock: Clock): Pick<Handlers<Fleet>, 'watchEvents'> => ({
  watchEvents: async (caller, request, call, { signal }) => {
    const sink = callSink(call);
    const wake = new Wake();
    using _appended = log.onAppend(() => wake.poke());
    await log.flush();
    const isAsked = askedFor(request.hosts);
    const isMeant = (owner: EventOwner): boolean => isVisible(caller, owner) && isAsked(owner);
    let { cursor, tooOld } = await beginOf(log, request, clock.nowMs(), isMeant);
    let toldMono = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const place = log.claim();
      const page = await log.after(cursor, PAGE);
      const isWhole = page.length < PAGE;
      cursor = Math.max(page.at(-1)?.revision ?? 0, isWhole ? place : 0);
      const events = page.filter(isMeant).map((event) => eventToWire(event, BigInt(event.revision)));
      // What is only others' is not even a sign of life.
      const isDue = isWhole && clock.monotonicMs() - toldMono >= BEAT_MS;
      if (events.length > 0 || tooOld || isDue) {
        const isWritten = sink.write({ events, revision: BigInt(cursor), tooOld, source: 'controller' });
        tooOld = false;
        toldMono = clock.monotonicMs();
        if (!isWritten) await sink.drained(signal);
      }
      if (!isWhole) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      if (!request.follow) return;
      await wake.wait(Math.max(1, toldMono + BEAT_MS - clock.monotonicMs()), signal);
    }
  },
});

const askedFor =
  (hosts: readonly string[]) =>
  ({ host, user }: EventOwner): boolean =>
    hosts.length === 0 || hosts.includes(host) || hosts.includes(`${host}/${user}`);

/** After which one to begin, and whether what was asked for is kept no more. */
const beginOf = async (
  log: EventLog,
  { follow, afterRevision, sinceMs }: WatchEventsRequest,
  nowMs: number,
  isMeant: (owner: EventOwner) => boolean,
): Promise<{ cursor: number; tooOld: boolean }> => {
  const asked = Number(afterRevision);
  if (asked === 0) {
    if (sinceMs > 0) return { cursor: await log.lastBefore(nowMs - sinceMs), tooOld: false };
    return { cursor: follow ? log.revision : 0, tooOld: false };
  }
  if (!log.isPast(asked) || log.isBelow(asked)) return { cursor: 0, tooOld: true };
  return { cursor: asked, tooOld: log.hasGap(asked, isMeant) };
};
