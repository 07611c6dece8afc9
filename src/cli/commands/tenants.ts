/** The verbs about whose agents are whose, in one module. */

// As in machines.ts.
import './specs.ts';

export * as add from './tenant-add.ts';
export * as bind from './tenant-bind.ts';
export * as ls from './tenant-ls.ts';
export * as rm from './tenant-rm.ts';
export * as unbind from './tenant-unbind.ts';
