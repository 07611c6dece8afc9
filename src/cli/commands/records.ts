/** The verbs that tell what happens and what happened, in one module. */

// As in machines.ts.
import './specs.ts';

export * as audit from './audit.ts';
export * as events from './events.ts';
export * as wait from './wait.ts';
