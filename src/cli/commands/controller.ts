/** The verbs about a cell's own controller, in one module that is loaded when one of them runs. */

// As in `machines.ts`: what the start of `fleet` loads stays in one file.
import './specs.ts';

export * as backup from './controller-backup.ts';
export * as restore from './controller-restore.ts';
export * as rotateCa from './controller-rotate-ca.ts';
export * as status from './controller-status.ts';
