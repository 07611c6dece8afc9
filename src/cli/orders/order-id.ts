import { randomUUID } from 'node:crypto';
import { ORDER_ID } from '../../domain/order.ts';
import { UsageError } from '../usage-error.ts';

/** Under which an order is given at most once: the caller's own, or a new random one. Throws UsageError. */
export const orderId = (given: string | undefined): string =>
  given === undefined ? randomUUID() : checkOrderId(given);

/** The same id. Throws UsageError. */
export const checkOrderId = (id: string): string => {
  if (ORDER_ID.test(id)) return id;
  throw new UsageError(`"${id}" is no id of an order: 1 to 128 letters, digits and _ . : -, beginning with no sign`);
};
