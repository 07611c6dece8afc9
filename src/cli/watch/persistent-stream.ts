/**
 * A stream about one agent that is opened again for ever: after a break, after silence, and when the host-agent does
 * not know the agent any more, which may have only begun anew. Ends by its signal, by the reader, or by an answer that
 * asking again would not change.
 */
import { FleetError, type FleetErrorCode } from '../../domain/errors.ts';
import { backoffDelayMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { sleep } from '../../runtime/sleep.ts';
import { FINAL } from '../client/final-codes.ts';
import type { Method } from '../client/grpc-channel.ts';
import { unlessSilent } from '../client/unless-silent.ts';
import type { SharedLine } from './shared-line.ts';

/** Where an agent is asked for. */
export interface AgentPlace {
  hostAgent: string;
  key: string;
}

export interface PersistentStream<Q, R> {
  line: SharedLine;
  method: Method<Q, R>;
  place: AgentPlace;
  /** Asked for at each opening: what was read may change what is asked. */
  request: (place: AgentPlace) => Q;
  /** True ends the whole: nothing more is expected. */
  onMessage: (message: R) => boolean | Promise<boolean>;
  onBroken: (reason: string) => void;
  /** Where the agent is now, when its host-agent does not know it; null where that host-agent surely has none of that name. */
  find: (signal: AbortSignal) => Promise<AgentPlace | null>;
  clock: Clock;
  /** A stream without a word for this long is given up; the service says something every 2 s. Null: it may be silent. */
  stallMs: number | null;
  backoff?: { firstMs: number; capMs: number };
}

const BACKOFF = { firstMs: 200, capMs: 1_000 };
/** A host-agent that has just started may not have looked yet. */
const GONE_AFTER_MS = 5_000;

/** Before anything was seen these are answers, too. */
const FINAL_AT_FIRST: ReadonlySet<FleetErrorCode> = new Set([...FINAL, 'NOT_FOUND', 'FAILED_PRECONDITION']);

/** Resolves true when the reader ended it, false at the signal; throws NOT_FOUND when the agent is surely gone. */
export const runPersistently = async <Q, R>(stream: PersistentStream<Q, R>, signal: AbortSignal): Promise<boolean> => {
  const { clock } = stream;
  let { place } = stream;
  let attempt = 0;
  let hasSeen = false;
  let unknownSinceMono: number | null = null;
  while (!signal.aborted) {
    try {
      const isOver = await readOnce(stream, place, signal, () => {
        hasSeen = true;
        attempt = 0;
        unknownSinceMono = null;
      });
      if (isOver) return true;
      stream.onBroken(`the stream was ended by the ${stream.line.whose}`);
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof FleetError) || (hasSeen ? FINAL : FINAL_AT_FIRST).has(error.code)) throw error;
      stream.onBroken(error.message);
      if (error.code === 'NOT_FOUND') {
        unknownSinceMono ??= clock.monotonicMs();
        const found = await stream.find(signal).catch(() => place);
        if (found === null && clock.monotonicMs() - unknownSinceMono >= GONE_AFTER_MS) throw error;
        place = found ?? place;
      }
    }
    await sleep(backoffDelayMs(attempt, stream.backoff ?? BACKOFF), signal);
    attempt += 1;
  }
  return false;
};

const readOnce = async <Q, R>(
  { line, method, request, onMessage, stallMs }: PersistentStream<Q, R>,
  place: AgentPlace,
  signal: AbortSignal,
  seen: () => void,
): Promise<boolean> => {
  using lease = line.lease();
  const open = (ending: AbortSignal) => lease.channel.stream(method, request(place), { signal: ending });
  for await (const message of unlessSilent({ who: `the ${line.whose}`, stallMs }, signal, open)) {
    seen();
    if (await onMessage(message)) return true;
  }
  return false;
};
