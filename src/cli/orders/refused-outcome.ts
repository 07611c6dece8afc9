import type { OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';

/** Of an order that was not given: nothing was changed, and `reason` says why. */
export const refusedOutcome = (
  order: Partial<Pick<OrderOutcome, 'id' | 'verb' | 'address'>>,
  reason: string,
): OrderOutcome => ({
  id: '',
  verb: '',
  address: '',
  ...order,
  outcome: 'refused',
  reason,
  actor: '',
  beganMs: 0,
  endedMs: 0,
  repeated: false,
});
