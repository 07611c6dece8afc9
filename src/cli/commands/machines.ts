/** The verbs that put daemons on machines, in one module: code that several loads share becomes a file of its own. */

// Whatever the start of `fleet` loads is in reach of each module that is loaded later: the bundler keeps it in one file.
import './specs.ts';

export * as doctor from './doctor.ts';
export * as down from './down.ts';
export * as hostAdd from './host-add.ts';
export * as hostAllow from './host-allow.ts';
export * as hostControl from './host-control.ts';
export * as hostJoin from './host-join.ts';
export * as hostPrune from './host-prune.ts';
export * as hostQuarantine from './host-quarantine.ts';
export * as hostRm from './host-rm.ts';
export * as hostUpgrade from './host-upgrade.ts';
export * as up from './up.ts';
