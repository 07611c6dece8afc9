import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FleetError } from '../../src/domain/errors.ts';

/**
 * Holds `path` for this process until disposed or dead, however it dies: the kernel's file lock, taken through
 * SQLite because Node offers none itself. ALREADY_EXISTS when another live process holds it.
 */
export const acquireSoleOwnership = (path: string, whatFor: string): Disposable => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) {
      throw new FleetError(
        'ALREADY_EXISTS',
        `${whatFor} is running already (it holds ${path}): stop it first, with fleet down`,
      );
    }
    throw new FleetError('INTERNAL', `cannot lock ${path}: ${(error as Error).message}`, { cause: error });
  }
  return { [Symbol.dispose]: () => db.close() };
};
