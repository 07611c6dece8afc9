/**
 * Answers why an agent is in its state: the screen is read afresh, then every piece of evidence is told in the order in
 * which it is judged. Live only: nothing of the answer is kept.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { cleanText } from '../../src/domain/clean-text.ts';
import { FleetError } from '../../src/domain/errors.ts';
import type { ScreenReading } from '../../src/domain/prompt-reading.ts';
import { explainReadiness, judgeReadiness, type ReadinessEvidence } from '../../src/domain/readiness.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Evidence, ExplainAgentRequest, ExplainAgentResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { CallContext } from '../calls/own-calls.ts';
import type { ScreenReader } from '../terminal/ports.ts';
import { promptEvidence } from './evidence.ts';
import { paneOf, runtimeOf } from './pane-of.ts';
import { promptMessage, type ScreenPrompts } from './screen-prompts.ts';

export interface ExplainOptions {
  agents: {
    readonly rows: readonly AgentRow[];
    evidence(key: string): ReadinessEvidence | undefined;
  };
  screens: ScreenReader;
  prompts: ScreenPrompts;
  clock: Clock;
}

const READ_TIMEOUT_MS = 3_000;

export const explainAgent =
  ({ agents, screens, prompts, clock }: ExplainOptions) =>
  async ({ key }: ExplainAgentRequest, { signal }: Pick<CallContext, 'signal'>): Promise<ExplainAgentResponse> => {
    const row = agents.rows.find((each) => each.key === key);
    const judged = agents.evidence(key);
    if (row === undefined || judged === undefined) throw new FleetError('NOT_FOUND', 'no such agent here any more');
    const runtime = runtimeOf(row);
    const rules = prompts.version(runtime);
    let seen: { reading: ScreenReading | null; words: string };
    try {
      seen = await readAfresh(row, rules);
    } catch (error) {
      seen = { reading: null, words: `could not be read: ${cleanText((error as Error).message)}` };
    }
    const drawnMs = row.lastOutputMs ?? clock.nowMs();
    const prompt = promptEvidence(seen.reading, runtime, judged.prompt, drawnMs);
    const evidence = { ...judged, nowMs: clock.nowMs(), prompt };
    const verdict = judgeReadiness(evidence);
    return {
      readiness: verdict.readiness,
      reason: verdict.reason ?? '',
      reasonCode: verdict.reasonCode ?? '',
      evidence: [...circumstances(row, seen.words), ...explainReadiness(evidence)],
      prompt: seen.reading === null ? undefined : promptMessage(seen.reading),
      rules: rules ?? '',
    };

    async function readAfresh(of: AgentRow, version: string | null): Promise<typeof seen> {
      if (version === null) return { reading: null, words: `no rules for ${runtime ?? 'a runtime that is not known'}` };
      const pane = of.tmux?.dead === false ? paneOf(of) : null;
      if (pane === null) return { reading: null, words: 'no living pane to read' };
      const picture = await screens.read(pane, AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]));
      const reading = prompts.reading(runtime, picture);
      const rule = reading?.rule ?? null;
      if (rule === null) return { reading, words: 'read just now: no rule fits' };
      return {
        reading,
        words: `read just now: ${rule.name}${rule.seen ? '' : ', a rule not yet seen on the program'}`,
      };
    }
  };

/** What decides nothing by itself, but which rules apply. */
const circumstances = (row: AgentRow, screenWords: string): Evidence[] => [
  {
    source: 'process',
    fact: row.runtimeSeen === null ? 'what runs cannot be told' : `runs ${cleanText(row.runtimeSeen)}`,
    decisive: false,
  },
  ...(row.unit === null
    ? []
    : [{ source: 'unit', fact: `${row.unit.activeState} (${row.unit.subState})`, decisive: false }]),
  ...(row.tmux?.title ? [{ source: 'title', fact: cleanText(row.tmux.title), decisive: false }] : []),
  { source: 'screen', fact: screenWords, decisive: false },
];
