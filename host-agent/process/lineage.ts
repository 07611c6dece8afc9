/** Who started a process and whose it is, from its `status`; nothing is kept, nothing is followed. */
import type { Lineage } from '../inventory/session-of.ts';
import { ProcFiles } from './proc-files.ts';

export const procLineage = (): Lineage => {
  const files = new ProcFiles('/proc');
  return {
    of: (pid) => {
      const status = files.text(`${pid}/status`);
      const parent = /^PPid:\t(\d+)$/m.exec(status ?? '')?.[1];
      // The real uid: a program with another user's rights is still its caller's.
      const uid = /^Uid:\t(\d+)\t/m.exec(status ?? '')?.[1];
      return parent === undefined || uid === undefined ? null : { parentPid: Number(parent), uid: Number(uid) };
    },
    environment: (pid, name) => {
      const start = `${name}=`;
      const variables = files.largeText(`${pid}/environ`)?.split('\0') ?? [];
      return variables.find((variable) => variable.startsWith(start))?.slice(start.length) ?? null;
    },
  };
};
