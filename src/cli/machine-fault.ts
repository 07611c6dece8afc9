/** What this machine refuses a program: no fault of ours, and somebody can mend it. */

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk: free some, and give the command again',
  EDQUOT: 'your disk quota is used up: free some space, and give the command again',
  EROFS: 'it is on a file system that can only be read',
  EACCES: 'you may not do that there: look at its owner and mode',
  EPERM: 'you may not do that there: look at its owner and mode',
  EMFILE: 'too many files are open: look at ulimit -n',
  ENFILE: 'too many files are open on this machine',
  EIO: 'the disk cannot be read or written: look at the kernel’s log',
};

/** One line of what a system call was refused, with its path; null for anything else. */
export const machineFault = (error: unknown): string | null => {
  const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  const words = syscall === undefined ? undefined : WORDS[code ?? ''];
  if (words === undefined) return null;
  return path === undefined ? words : `${path}: ${words}`;
};
