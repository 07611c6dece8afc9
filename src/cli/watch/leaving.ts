/** The exit code of a view that follows: ctrl-c is a person who leaves, other signals are no such thing. */
import { EXIT } from '../exit-codes.ts';

const BY_SIGNAL: Readonly<Record<string, number>> = { SIGINT: EXIT.done, SIGTERM: 143, SIGHUP: 129 };

export const exitOfSignal = (signal: AbortSignal): number => BY_SIGNAL[String(signal.reason)] ?? EXIT.failed;
