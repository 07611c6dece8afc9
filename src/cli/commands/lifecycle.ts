/** The verbs that start and stop agents, in one module. */

// As in machines.ts.
import './specs.ts';

export * as reset from './reset.ts';
export * as restart from './restart.ts';
export * as start from './start.ts';
export * as stop from './stop.ts';
