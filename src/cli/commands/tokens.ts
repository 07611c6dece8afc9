/** The verbs about tokens that are out, in one module. */

// As in machines.ts.
import './specs.ts';

export * as tokenLs from './token-ls.ts';
export * as tokenRm from './token-rm.ts';
