/** The verbs that tell what happens and what happened, in one module. */

// As in machines.ts.
import './specs.ts';

export * as wait from './wait.ts';
