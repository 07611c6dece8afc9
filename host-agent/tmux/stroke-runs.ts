/** Strokes as tmux types them into a pane: lines of its own language, as many at once as a client takes, and pastes between. Pure. */
import type { KeyStroke } from '../../src/domain/key-stroke.ts';
import { tmuxQuoted } from '../../src/runtime/quote.ts';

export type StrokeRun = { lines: string[] } | { paste: string };

/** A client takes this many unanswered lines. */
const MAX_LINES = 32;

/** In their order. The first line ends somebody's copy mode. */
export function* strokeRuns(strokes: readonly KeyStroke[], paneId: string): Generator<StrokeRun> {
  let lines: string[] = [];
  for (const step of stepsOf(strokes, paneId)) {
    if ('line' in step) {
      lines.push(step.line);
      if (lines.length < MAX_LINES) continue;
    }
    if (lines.length > 0) yield { lines };
    lines = [];
    if ('paste' in step) yield step;
  }
  if (lines.length > 0) yield { lines };
}

type Step = { line: string } | { paste: string };

/** Somebody's copy mode would take the keys for itself. */
const leaveModes = (paneId: string): string => `copy-mode -q -t ${paneId}`;

/**
 * Text as bytes, since no quoting can go wrong with them and tmux passes them on as they are (`-H` with a value up to ff,
 * tmux 3.2a to 3.7); keys by name, since only tmux knows in which mode the pane wants them.
 */
const stepsOf = (strokes: readonly KeyStroke[], paneId: string): Step[] => {
  const steps: Step[] = [{ line: leaveModes(paneId) }];
  for (const stroke of joined(strokes)) {
    if ('paste' in stroke) steps.push(stroke);
    else if ('keys' in stroke)
      steps.push({ line: `send-keys -t ${paneId} -- ${stroke.keys.map(tmuxQuoted).join(' ')}` });
    else {
      const bytes = Array.from(Buffer.from(stroke.text), (byte) => byte.toString(16).padStart(2, '0'));
      steps.push({ line: `send-keys -t ${paneId} -H ${bytes.join(' ')}` });
    }
  }
  return steps;
};

type Joined = { text: string } | { keys: string[] } | { paste: string };

/** Strokes of one kind that follow each other, within what one line may hold. */
const joined = (strokes: readonly KeyStroke[]): Joined[] => {
  const runs: Joined[] = [];
  for (const stroke of strokes) {
    const last = runs.at(-1);
    if ('key' in stroke) {
      if (last && 'keys' in last && last.keys.length < MAX_KEYS) last.keys.push(stroke.key);
      else runs.push({ keys: [stroke.key] });
    } else if ('text' in stroke && last && 'text' in last && last.text.length + stroke.text.length <= MAX_CHARACTERS) {
      last.text += stroke.text;
    } else runs.push({ ...stroke });
  }
  return runs;
};

const MAX_KEYS = 64;
const MAX_CHARACTERS = 4_096;
