/** The verbs that say something to one agent, or ask why it waits, in one module. */

// As in machines.ts.
import './specs.ts';

export * as answer from './answer.ts';
export * as explain from './explain.ts';
export * as keys from './keys.ts';
export * as next from './next.ts';
export * as order from './order.ts';
export * as send from './send.ts';
