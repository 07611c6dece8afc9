import { randomUUID } from 'node:crypto';
import { UsageError } from '../usage-error.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;

/** Under which an order is given at most once: the caller's own, or a new random one. Throws UsageError. */
export const orderId = (given: string | undefined): string =>
  given === undefined ? randomUUID() : checkOrderId(given);

export const checkOrderId = (id: string): string => {
  if (ID.test(id)) return id;
  throw new UsageError(`"${id}" is no id of an order: 1 to 128 letters, digits and _ . : -, beginning with no sign`);
};
