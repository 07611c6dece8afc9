/** How an order ends that changes several things one after the other: each end says what was done before it. */
import { FleetError } from '../../src/domain/errors.ts';
import { OrderEnd } from '../command/order-end.ts';

/** From the first change on, whatever cannot be asked leaves open what became of it. */
export const begun = async (act: () => Promise<OrderEnd>): Promise<OrderEnd> => {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    if (error.code === 'FAILED_PRECONDITION') return new OrderEnd('failed', error.message);
    return new OrderEnd('unknown', `it was begun, but then: ${error.message}`);
  }
};

/** A restart that fails half way says which half was done. */
export const stoppedBut = async (start: () => Promise<OrderEnd>): Promise<OrderEnd> => {
  const end = await settled(start);
  return end.outcome === 'done' ? end : new OrderEnd(end.outcome, `it was stopped, but then: ${end.reason}`);
};

/** An end that was thrown is an end like another. */
export const settled = async (act: () => Promise<OrderEnd>): Promise<OrderEnd> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof OrderEnd) return error;
    if (!(error instanceof FleetError)) throw error;
    return new OrderEnd(error.code === 'FAILED_PRECONDITION' ? 'failed' : 'unknown', error.message);
  }
};

/** `along`: who ended with it, in words. */
export const withAlong = (end: OrderEnd, along: string | null): OrderEnd =>
  along === null
    ? end
    : new OrderEnd(end.outcome, `${end.reason === '' ? '' : `${end.reason}; `}ended along: ${along}`);
