/** What a daemon's root gives to everything that it is composed of. */
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Shutdown } from './shutdown.ts';

export interface Composition {
  clock: Clock;
  /** The log of one part. */
  part(component: string): Logger;
  shutdown: Shutdown;
}
