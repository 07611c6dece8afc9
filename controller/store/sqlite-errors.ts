import { FleetError } from '../../src/domain/errors.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html) that a person must act on. */
const FULL = 13;
const READ_ONLY = 8;
const DAMAGED = new Set([11, 26]);
const BUSY = new Set([5, 6]);

/** What an operator should hear of a failed database call on `path`. */
export const toStoreError = (error: unknown, path: string): FleetError => {
  if (error instanceof FleetError) return error;
  const { errcode, message } = error as { errcode?: number; message: string };
  const code = (errcode ?? 0) & 0xff;
  if (DAMAGED.has(code)) {
    return new FleetError(
      'DATA_LOSS',
      `${path} is damaged (${message}): stop the controller and restore the file from a backup; nothing was changed`,
      { cause: error },
    );
  }
  if (code === FULL) {
    return new FleetError('RESOURCE_EXHAUSTED', `no room to write ${path}: free space on its disk; nothing was lost`, {
      cause: error,
      retryable: true,
    });
  }
  if (BUSY.has(code)) {
    return new FleetError('UNAVAILABLE', `${path} is held by another program`, { cause: error });
  }
  const why = code === READ_ONLY ? 'is read-only' : `failed (${message})`;
  return new FleetError('INTERNAL', `${path} ${why}: check its disk and its permissions`, { cause: error });
};
