/** What the variables that we read ourselves may say; a value that says nothing to us counts as not there. */
import { shown } from './fault.ts';
import { isSocketName } from './socket-name.ts';

const positiveNumber = (value: string): string | null =>
  Number(value) > 0 && Number.isFinite(Number(value)) ? null : 'is no number of seconds above 0';

const socketName = (value: string): string | null =>
  isSocketName(value) ? null : 'is no socket name: it takes no `/` and no blanks';

const FAULTS: ReadonlyMap<string, (value: string) => string | null> = new Map([
  ['MOSAIC_HEARTBEAT_INTERVAL', positiveNumber],
  ['MOSAIC_HEARTBEAT_IDLE_THRESHOLD', positiveNumber],
  ['MOSAIC_TMUX_SOCKET', socketName],
]);

/** Why this value cannot be meant; null for every other variable, and for an empty value. */
export const envValueFault = (name: string, value: string): string | null => {
  const words = value === '' ? null : (FAULTS.get(name)?.(value) ?? null);
  return words === null ? null : `${name}: ${shown(value)} ${words}`;
};
