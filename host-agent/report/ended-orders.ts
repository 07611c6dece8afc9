/** Orders of this host's own user that are over: told to the controller as they end, and the newest again when it is back. */
import type { OrderEnded } from '../../src/wire/gen/fleet/v1/host_agent.ts';

/** While nobody can be told. */
const MAX_UNTOLD = 100;

export class EndedOrders {
  #untold: OrderEnded[] = [];
  #tell: ((order: OrderEnded) => void) | null = null;

  add(order: OrderEnded): void {
    if (this.#tell !== null) this.#tell(order);
    else this.#untold = [...this.#untold, order].slice(-MAX_UNTOLD);
  }

  /** Hears of those that nobody was told, and of all until it is disposed of. */
  follow(tell: (order: OrderEnded) => void): Disposable {
    for (const order of this.#untold.splice(0)) tell(order);
    this.#tell = tell;
    return {
      [Symbol.dispose]: () => {
        if (this.#tell === tell) this.#tell = null;
      },
    };
  }

  /** Those of a cell that this host has left are no other's business. */
  forget(): void {
    this.#untold = [];
  }
}
