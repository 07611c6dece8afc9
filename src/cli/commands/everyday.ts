/** The verbs that are typed all day, in one module: each file that is loaded costs more than what stands in it. */
export * as complete from './complete.ts';
export * as completion from './completion.ts';
export * as hosts from './hosts.ts';
export * as ps from './ps.ts';
export * as token from './token.ts';
export * as version from './version.ts';
export * as whoami from './whoami.ts';
