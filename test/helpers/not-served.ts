import { FleetError } from '../../src/domain/errors.ts';

/** For a call that a host of a test does not answer: rejects with UNIMPLEMENTED, naming it. */
export const notServed = (what: string) => (): Promise<never> =>
  Promise.reject(new FleetError('UNIMPLEMENTED', `this host-agent cannot ${what}`));

/** Each of those calls, not served: a test names none but those that it answers. */
export const noneServed = <Call extends string>(calls: readonly Call[]): Record<Call, () => Promise<never>> =>
  Object.fromEntries(calls.map((call) => [call, notServed(call)])) as Record<Call, () => Promise<never>>;
