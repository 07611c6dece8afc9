/** The verbs about what should exist, in one module. */

// As in machines.ts.
import './specs.ts';

export * as add from './add.ts';
export * as apply from './apply.ts';
export * as diff from './diff.ts';
export * as edit from './edit.ts';
export * as init from './init.ts';
export * as rm from './rm.ts';
