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
const NEVER_HEARD: ReadonlySet<string | null> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'EACCES', 'EPERM']);

export interface OrderCall {
  signal: AbortSignal;
  /** The reply was lost, and is being asked after. */
  onLost: (why: FleetError) => void;
  clock?: Clock;
  patience?: Patience;
}

/**
 * Throws the refusal of whoever was asked; when nothing was done and it is known, UNAVAILABLE. A reply that was lost for
 * good comes back as outcome `unknown`, or `pending` where the order was still being done when it was last asked after.
 */
export const placeOrder = async <Q extends { id: string }>(
  channel: GrpcChannel,
  { method, request, deadlineMs }: PlacedOrder<Q>,
  call: OrderCall,
): Promise<OrderOutcome> => {
  try {
    return await channel.unary(method, request, { deadlineMs, signal: call.signal });
  } catch (error) {
    if (call.signal.aborted || !isUncertain(error)) throw error;
    call.onLost(error);
    return await findOut(channel, request.id, error, call);
  }
};

const isUncertain = (error: unknown): error is FleetError =>
  error instanceof FleetError &&
  UNCERTAIN.has(error.code) &&
  !(error.cause instanceof TransportError && NEVER_HEARD.has(error.cause.errno));

const findOut = async (
  channel: GrpcChannel,
  id: string,
  lost: FleetError,
  { signal, clock = systemClock, patience = PATIENCE }: OrderCall,
): Promise<OrderOutcome> => {
  const beganMono = clock.monotonicMs();
  let absentSinceMono: number | null = null;
  let last: OrderOutcome | null = null;
  let silence: FleetError = lost;
  while (clock.monotonicMs() - beganMono < patience.searchMs) {
    try {
      const record = await channel.unary(getOrder, { id }, { deadlineMs: ASK_DEADLINE_MS, signal });
      if (record.outcome !== 'pending') return record;
      last = record;
      absentSinceMono = null;
    } catch (error) {
      if (signal.aborted || !(error instanceof FleetError)) throw error;
      silence = error;
      if (error.code !== 'NOT_FOUND') absentSinceMono = null;
      else {
        absentSinceMono ??= clock.monotonicMs();
        if (clock.monotonicMs() - absentSinceMono >= patience.absentMs) throw neverBegan(id, lost);
      }
    }
    await sleep(patience.pauseMs, signal);
    if (signal.aborted) throw lost;
  }
  return last ?? unknown(id, lost, silence);
};

const neverBegan = (id: string, lost: FleetError): FleetError =>
  new FleetError(
    'UNAVAILABLE',
    `${lost.message}; no order ${id} is recorded, so nothing was done: the same command with --id ${id} repeats it safely`,
    { cause: lost },
  );

const unknown = (id: string, lost: FleetError, silence: FleetError): OrderOutcome => ({
  id,
  address: '',
  verb: '',
  outcome: 'unknown',
  reason: lost === silence ? lost.message : `${lost.message}; asked again: ${silence.message}`,
  actor: '',
  beganMs: 0,
  endedMs: 0,
  repeated: false,
});
