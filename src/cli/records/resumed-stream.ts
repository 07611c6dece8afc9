/**
 * A stream of records that is opened again for ever: after a break and after silence, each time from where its reader is.
 * Ends by its signal, by the service where it was not to follow, or by an answer that asking again would not change.
 */
import { FleetError, type FleetErrorCode } from '../../domain/errors.ts';
import { backoffDelayMs } from '../../runtime/backoff.ts';
import { sleep } from '../../runtime/sleep.ts';
import { FINAL } from '../client/final-codes.ts';
import { type Endpoint, GrpcChannel, type Method } from '../client/grpc-channel.ts';

export interface ResumedStream<Q, R> {
  endpoint: Endpoint;
  method: Method<Q, R>;
  /** Asked for at each opening. */
  request: () => Q;
  onMessage: (message: R) => Promise<void>;
  /** Once for each break. */
  onBroken: (reason: string) => void;
  follow: boolean;
  /** A stream without a word for this long is given up; services say something every 2 s. */
  stallMs?: number;
}

const STALL_MS = 15_000;
const BACKOFF = { firstMs: 200, capMs: 2_000 };
const FINAL_HERE: ReadonlySet<FleetErrorCode> = new Set([...FINAL, 'NOT_FOUND']);

/** Rejects when the first opening fails, or for good. */
export const runResumed = async <Q, R>(stream: ResumedStream<Q, R>, signal: AbortSignal): Promise<void> => {
  let attempt = 0;
  let hasHeard = false;
  let isBroken = false;
  while (!signal.aborted) {
    try {
      await readOnce(stream, signal, () => {
        attempt = 0;
        hasHeard = true;
        isBroken = false;
      });
      if (!stream.follow) return;
      throw new FleetError('UNAVAILABLE', 'the stream was ended');
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof FleetError) || FINAL_HERE.has(error.code) || !hasHeard || !stream.follow) throw error;
      if (!isBroken) stream.onBroken(error.message);
      isBroken = true;
    }
    await sleep(backoffDelayMs(attempt, BACKOFF), signal);
    attempt += 1;
  }
};

const readOnce = async <Q, R>(
  { endpoint, method, request, onMessage, stallMs = STALL_MS }: ResumedStream<Q, R>,
  signal: AbortSignal,
  heard: () => void,
): Promise<void> => {
  const stalled = new AbortController();
  const waiting = (): NodeJS.Timeout => setTimeout(() => stalled.abort(), stallMs);
  let timer = waiting();
  using channel = new GrpcChannel(endpoint);
  try {
    const options = { signal: AbortSignal.any([signal, stalled.signal]) };
    for await (const message of channel.stream(method, request(), options)) {
      // However long its reader takes over it, the service is not silent.
      clearTimeout(timer);
      heard();
      await onMessage(message);
      timer = waiting();
    }
  } catch (error) {
    if (!stalled.signal.aborted || signal.aborted) throw error;
    throw new FleetError('UNAVAILABLE', `it said nothing for ${stallMs / 1_000} s`);
  } finally {
    clearTimeout(timer);
  }
};
