/** Findings as people and programs read them. Whatever a host says is made safe to show. */
import { cleanText } from '../../domain/clean-text.ts';
import type { Finding } from '../../wire/gen/fleet/v1/view.ts';
import type { Painter, Style } from '../render/paint.ts';

const OUTCOMES: Record<string, { mark: string; style: Style | null }> = {
  ok: { mark: 'ok', style: 'good' },
  warning: { mark: 'warn', style: 'attention' },
  failed: { mark: 'FAIL', style: 'bad' },
};
const UNKNOWN = { mark: '?', style: 'dim' } as const;

/** One line a finding; what is not well says why and how it is mended below it. */
export const findingLines = (findings: readonly Finding[], paint: Painter, indent = ''): string[] => {
  const width = Math.max(0, ...findings.map(({ check }) => cleanText(check).length));
  return findings.map(({ check, outcome, what, why, mend }) => {
    const { mark, style } = OUTCOMES[outcome] ?? UNKNOWN;
    const head = `${paint(style, mark.padEnd(4))}  ${cleanText(check).padEnd(width)}  ${cleanText(what)}`;
    const below = [why, mend && `mend: ${mend}`].filter((text) => text !== undefined && text !== '');
    const deeper = ' '.repeat(width + 8);
    return [head, ...below.map((text) => deeper + cleanText(text as string))]
      .map((line) => `${indent}${line}\n`)
      .join('');
  });
};

export const findingObject = ({ check, outcome, what, why, mend, fix }: Finding) => ({
  check,
  outcome,
  what,
  why: why ?? null,
  mend: mend ?? null,
  fix: fix ?? null,
});

export const anyFailed = (findings: readonly Finding[]): boolean =>
  findings.some(({ outcome }) => outcome === 'failed');
