/** The verbs about people elsewhere and their contexts, in one module: code that several loads share becomes a file of its own. */

// Whatever the start of `fleet` loads is in reach of each module that is loaded later: the bundler keeps it in one file.
import './specs.ts';

export * as contextLs from './context-ls.ts';
export * as contextRm from './context-rm.ts';
export * as contextUse from './context-use.ts';
export * as login from './login.ts';
export * as operatorInvite from './operator-invite.ts';
export * as operatorLs from './operator-ls.ts';
export * as operatorRevoke from './operator-revoke.ts';
