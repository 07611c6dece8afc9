import type { OrderOutcomeName } from '../../src/domain/order.ts';

/** How an order ended. Thrown where it ends early. The reason is journalled: nothing of a text or a screen is in it. */
export class OrderEnd extends Error {
  readonly outcome: OrderOutcomeName;
  readonly reason: string;

  constructor(outcome: OrderOutcomeName, reason = '') {
    super(`${outcome}: ${reason}`);
    this.name = 'OrderEnd';
    this.outcome = outcome;
    this.reason = reason;
  }
}

/** Somebody else is at it. A caller of another cell is not told who. */
export class HeldBy extends OrderEnd {
  readonly unnamed: OrderEnd;

  constructor(who: string, what: string, before = '') {
    super('busy', `${before}${who} ${what}`);
    this.unnamed = new OrderEnd('busy', `${before}somebody ${what}`);
  }
}
