/** The verbs about grants, in one module: code that several loads share becomes a file of its own. */

// Whatever the start of `fleet` loads is in reach of each module that is loaded later: the bundler keeps it in one file.
import './specs.ts';

export * as grantAdd from './grant-add.ts';
export * as grantLs from './grant-ls.ts';
export * as grantRevoke from './grant-revoke.ts';
export * as grantShow from './grant-show.ts';
