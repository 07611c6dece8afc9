import { type LinkEvidence, type LinkThresholds, SUSPECT_LEAST, SUSPECT_SHARE } from '../../src/domain/link.ts';

/**
 * Many hosts falling silent within the same few seconds share a cause, and that is more likely here than there.
 * Returns the words for it, or null. Clean ends do not count.
 */
export const silenceSuspicion = (
  lines: readonly LinkEvidence[],
  nowMono: number,
  thresholds: LinkThresholds,
): string | null => {
  const spoken = lines.filter((line) => line.heardAtMono !== null && line.closedBecause !== 'stopped');
  const sinceMs = (line: LinkEvidence) => nowMono - (line.heardAtMono as number);
  const lately = spoken.filter((line) => sinceMs(line) < 4 * thresholds.lostMs);
  const silent = lately.filter((line) => sinceMs(line) >= thresholds.silentMs);
  return silent.length >= SUSPECT_LEAST && silent.length >= lately.length * SUSPECT_SHARE
    ? "many host-agents fell silent together: the fault is probably on the controller's side"
    : null;
};
