import { FleetError } from '../../domain/errors.ts';

/**
 * The messages of the stream that `open` begins. Throws UNAVAILABLE when `who` says nothing for `stallMs` (null: it may be
 * silent); what is open then is ended by the signal that it was given.
 */
export async function* unlessSilent<R>(
  { who, stallMs }: { who: string; stallMs: number | null },
  signal: AbortSignal,
  open: (signal: AbortSignal) => AsyncIterable<R>,
): AsyncGenerator<R, void, void> {
  const stalled = new AbortController();
  const wait = () => (stallMs === null ? undefined : setTimeout(() => stalled.abort(), stallMs));
  let timer = wait();
  try {
    for await (const message of open(AbortSignal.any([signal, stalled.signal]))) {
      // However long its reader takes over it, the service is not silent.
      clearTimeout(timer);
      yield message;
      timer = wait();
    }
  } catch (error) {
    if (!stalled.signal.aborted || signal.aborted) throw error;
    throw new FleetError('UNAVAILABLE', `${who} said nothing for ${(stallMs ?? 0) / 1_000} s`);
  } finally {
    clearTimeout(timer);
  }
}
