/** The verbs that show a screen, in one module, apart from what is typed all day. */

// As in machines.ts.
import './specs.ts';

export * as tail from './tail.ts';
export * as watch from './watch.ts';
