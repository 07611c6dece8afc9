import { createHash } from 'node:crypto';

/** Which text of a roster: SHA-256, lower-case hex. Empty for none, as where there is no file. */
export const rosterDigest = (text: string | null): string =>
  text === null ? '' : createHash('sha256').update(text).digest('hex');
