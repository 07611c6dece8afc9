import type { Source, SystemdReading } from '../inventory/source.ts';

/** The source of a fleet that has no units by design (isolated instances): `reason` says so in words. */
export const noSystemd = (reason: string): Source<SystemdReading> => {
  const reading: SystemdReading = { problem: reason, units: new Map(), linger: null, killUserProcesses: null };
  return {
    start: async () => {},
    current: () => reading,
    onChange: () => ({ [Symbol.dispose]: () => {} }),
  };
};
