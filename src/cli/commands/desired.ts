/** The verbs about what should exist, in one module. */

// As in machines.ts.
import './specs.ts';

export * as diff from './diff.ts';
