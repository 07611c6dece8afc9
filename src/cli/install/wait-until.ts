/** Polls until there is an answer, at most until a deadline. */
import { FleetError } from '../../domain/errors.ts';
import { sleep } from '../../runtime/sleep.ts';

const POLL_MS = 100;

/** Thrown by a probe when waiting on is of no use: it ends the wait with its own words. */
export class GivenUp extends FleetError {}

/**
 * `probe` answers null while it is too early; what it throws counts as too early too, and is the cause of the
 * DEADLINE_EXCEEDED at the end. `what` completes "… did not … within N s".
 */
export const waitUntil = async <T>(
  what: string,
  probe: () => Promise<T | null>,
  options: { timeoutMs: number; signal: AbortSignal; hint?: string },
): Promise<T> => {
  const end = performance.now() + options.timeoutMs;
  let last: unknown;
  do {
    options.signal.throwIfAborted();
    try {
      const answer = await probe();
      if (answer !== null) return answer;
    } catch (error) {
      if (error instanceof GivenUp) throw error;
      last = error;
    }
    await sleep(POLL_MS, options.signal);
  } while (performance.now() < end);
  const why = last instanceof Error ? ` (${last.message})` : '';
  const hint = options.hint ? `; see: ${options.hint}` : '';
  throw new FleetError('DEADLINE_EXCEEDED', `${what} within ${options.timeoutMs / 1000} s${why}${hint}`, {
    cause: last,
  });
};
