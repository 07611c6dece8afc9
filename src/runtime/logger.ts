import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

/**
 * One JSON line for each record. Messages are constant and lower case, facts are fields; never pane text,
 * titles, prompts or secrets. Children carry `component`.
 */
export const createLogger = (
  options: { name: string; level?: string; file?: string } & { destination?: DestinationStream },
): Logger =>
  pino(
    { name: options.name, level: options.level ?? 'info', base: { name: options.name, pid: process.pid } },
    options.destination ??
      pino.destination(options.file ? { dest: options.file, mkdir: true, mode: 0o600, sync: true } : 2),
  );

export const silentLogger = (): Logger => pino({ level: 'silent' });
