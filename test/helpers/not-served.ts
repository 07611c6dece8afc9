import { FleetError } from '../../src/domain/errors.ts';

/** For a call that a host of a test does not answer: rejects with UNIMPLEMENTED, naming it. */
export const notServed = (what: string) => (): Promise<never> =>
  Promise.reject(new FleetError('UNIMPLEMENTED', `this host-agent cannot ${what}`));
