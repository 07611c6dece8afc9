/** Said to a shell in place of candidates: names of files stand here. No candidate has such a sign. */
export const FILES = '<files>';
