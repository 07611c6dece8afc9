import { createHash } from 'node:crypto';

/** By which a roster on disk is known to be the one that was planned with; empty for no file. */
export const rosterDigest = (text: string | null): string =>
  text === null ? '' : createHash('sha256').update(text).digest('hex');
