import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import type { Finding } from '../../wire/gen/fleet/v1/view.ts';
import { askHostAgent } from '../ask.ts';
import { diagnose } from '../client/methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { diagnoseWithoutHostAgent } from '../offline-diagnosis.ts';
import { jsonText } from '../render/json.ts';
import { type Painter, painterFor, type Style } from '../render/paint.ts';

const DEADLINE_MS = 20_000;

export const run = async (context: CommandContext): Promise<number> => {
  const [host = ''] = context.positionals;
  const { paths, signal } = context;
  try {
    const { findings } = await askHostAgent(paths, diagnose, { host }, { deadlineMs: DEADLINE_MS, signal });
    print(context, findings);
    return findings.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.done;
  } catch (error) {
    if (!(error instanceof FleetError) || error.code !== 'UNAVAILABLE' || host !== '') throw error;
    print(context, await diagnoseWithoutHostAgent(paths, error, signal));
    return EXIT.unreachable;
  }
};

const OUTCOMES: Record<string, { mark: string; style: Style | null }> = {
  ok: { mark: 'ok', style: 'good' },
  warning: { mark: 'warn', style: 'attention' },
  failed: { mark: 'FAIL', style: 'bad' },
};
const UNKNOWN = { mark: '?', style: 'dim' } as const;

const print = ({ flags, stdout, env }: CommandContext, findings: readonly Finding[]): void => {
  if (flags.output === 'json') {
    const all = findings.map(({ check, outcome, what, why, mend }) => ({
      check,
      outcome,
      what,
      why: why ?? null,
      mend: mend ?? null,
    }));
    stdout.write(`${jsonText({ schema: 'fleet.findings/v1', findings: all })}\n`);
    return;
  }
  stdout.write(findingLines(findings, painterFor(stdout, env)).join(''));
};

/** One line a finding; what is not well says why and how it is mended below it. */
export const findingLines = (findings: readonly Finding[], paint: Painter): string[] => {
  const width = Math.max(0, ...findings.map(({ check }) => cleanText(check).length));
  return findings.map(({ check, outcome, what, why, mend }) => {
    const { mark, style } = OUTCOMES[outcome] ?? UNKNOWN;
    const head = `${paint(style, mark.padEnd(4))}  ${cleanText(check).padEnd(width)}  ${cleanText(what)}`;
    const below = [why, mend && `mend: ${mend}`].filter((text) => text !== undefined && text !== '');
    const indent = ' '.repeat(width + 8);
    return [head, ...below.map((text) => indent + cleanText(text as string))].map((line) => `${line}\n`).join('');
  });
};
