/**
 * One order, given once. A lost reply is asked after under the same id, for a bounded time; the order itself is never
 * given again. What cannot be found out is `unknown`, never a guess.
 */
import { FleetError, type FleetErrorCode } from '../../domain/errors.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { sleep } from '../../runtime/sleep.ts';
import type { OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import type { GrpcChannel, Method } from '../client/grpc-channel.ts';
import { getOrder } from '../client/order-methods.ts';
import { TransportError } from '../client/transport.ts';

export interface PlacedOrder<Q extends { id: string }> {
  method: Method<Q, OrderOutcome>;
  request: Q;
  /** For the answer; the host ends the order itself by its own time. */
  deadlineMs: number;
  /** What did not happen where it had no effect; default: nothing was typed. */
  nothing?: string;
}

export interface Patience {
  /** How long a lost reply is asked after. */
  searchMs: number;
  /** For so long there must be no record before it is said that there is none: an order may still be on its way. */
  absentMs: number;
  pauseMs: number;
}

const PATIENCE: Patience = { searchMs: 20_000, absentMs: 4_000, pauseMs: 500 };
const ASK_DEADLINE_MS = 5_000;

/** After these something may have been done all the same. */
const UNCERTAIN: ReadonlySet<FleetErrorCode> = new Set([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'INTERNAL',
  'DATA_LOSS',
  'ABORTED',
]);

/** Nobody was there to hear it. */
const NEVER_HEARD: ReadonlySet<string | null> = new Set([
  'ENOENT',
  'ENOTCONN',
  'ECONNREFUSED',
  'ENOTSOCK',
  'EACCES',
  'EPERM',
]);

export interface OrderCall {
  signal: AbortSignal;
  /** It is being asked after; why, in words. */
  onLost: (why: string) => void;
  clock?: Clock;
  patience?: Patience;
}

/**
 * Throws the refusal of whoever was asked; UNAVAILABLE also where it is found out that nothing was done. What could not be
 * found out comes back as outcome `unknown`, or `pending` where the order was still being done when it was last asked after.
 */
export const placeOrder = async <Q extends { id: string }>(
  channel: GrpcChannel,
  { method, request, deadlineMs, nothing = 'nothing was typed' }: PlacedOrder<Q>,
  call: OrderCall,
): Promise<OrderOutcome> => {
  try {
    const outcome = await channel.unary(method, request, { deadlineMs, signal: call.signal });
    if (outcome.outcome !== 'unknown') return outcome;
    // The line to the host broke on the way; it may come back.
    call.onLost(outcome.reason === '' ? 'the answer was lost on its way' : outcome.reason);
    return await findOut(channel, request.id, { said: outcome, nothing }, call);
  } catch (error) {
    if (call.signal.aborted || !isUncertain(error)) throw error;
    call.onLost(error.message);
    return await findOut(channel, request.id, { error, nothing }, call);
  }
};

const isUncertain = (error: unknown): error is FleetError =>
  error instanceof FleetError &&
  UNCERTAIN.has(error.code) &&
  !(error.cause instanceof TransportError && NEVER_HEARD.has(error.cause.errno));

/** Why it is not known: a call that failed, or somebody on the way who lost sight of the order. */
type Lost = { nothing: string } & ({ error: FleetError } | { said: OrderOutcome });

const findOut = async (
  channel: GrpcChannel,
  id: string,
  lost: Lost,
  { signal, clock = systemClock, patience = PATIENCE }: OrderCall,
): Promise<OrderOutcome> => {
  const beganMono = clock.monotonicMs();
  let absentSinceMono: number | null = null;
  let last = 'said' in lost ? lost.said : unknown(id, lost.error.message);
  while (clock.monotonicMs() - beganMono < patience.searchMs) {
    await sleep(patience.pauseMs, signal);
    const told = await lookUp(channel, id, signal);
    if (!(told instanceof FleetError)) {
      if ('error' in lost && isUndelivered(told)) throw withoutEffect(id, lost, 'it did not reach its host');
      if (told.outcome !== 'pending' && told.outcome !== 'unknown') return told;
      last = told;
      absentSinceMono = null;
      continue;
    }
    absentSinceMono = told.code === 'NOT_FOUND' ? (absentSinceMono ?? clock.monotonicMs()) : null;
    if ('said' in lost) continue;
    const isAbsent = absentSinceMono !== null && clock.monotonicMs() - absentSinceMono >= patience.absentMs;
    if (isAbsent) throw withoutEffect(id, lost, 'nobody has heard of it');
    last = unknown(id, `${lost.error.message}; asked again: ${told.message}`);
  }
  return last;
};

/** A failure is an answer, too. */
const lookUp = async (channel: GrpcChannel, id: string, signal: AbortSignal): Promise<OrderOutcome | FleetError> => {
  try {
    return await channel.unary(getOrder, { id }, { deadlineMs: ASK_DEADLINE_MS, signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof FleetError)) throw error;
    return error;
  }
};

/** A controller's own word for an order that it could not pass on: a host stamps the end of what it refuses. */
const isUndelivered = ({ outcome, endedMs }: OrderOutcome): boolean => outcome === 'refused' && endedMs === 0;

const withoutEffect = (id: string, { error, nothing }: Lost & { error: FleetError }, why: string): FleetError =>
  new FleetError(
    'UNAVAILABLE',
    `${error.message}; ${why}, so ${nothing}: the same command with --id ${id} repeats it safely`,
    { cause: error },
  );

const unknown = (id: string, reason: string): OrderOutcome => ({
  id,
  address: '',
  verb: '',
  outcome: 'unknown',
  reason,
  actor: '',
  beganMs: 0,
  endedMs: 0,
  repeated: false,
});
