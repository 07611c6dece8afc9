import { accessSync, constants } from 'node:fs';

/** Whether this user may execute what stands there; false where nothing does. */
export const mayRun = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
