/** Each step of a long change on a line of its own, with its outcome; the running one is shown on a terminal. */
import { cleanText } from '../../domain/clean-text.ts';

export interface StepOutcome {
  state: 'done' | 'unchanged' | 'skipped' | 'would' | 'warning';
  text: string;
}

export const done = (text: string): StepOutcome => ({ state: 'done', text });
export const unchanged = (text: string): StepOutcome => ({ state: 'unchanged', text });
export const warning = (text: string): StepOutcome => ({ state: 'warning', text });
export const would = (text: string): StepOutcome => ({ state: 'would', text });

const MARK: Record<StepOutcome['state'] | 'failed', string> = {
  done: 'ok',
  unchanged: '=',
  skipped: '-',
  would: '?',
  warning: '!',
  failed: 'x',
};
const NAME_WIDTH = 12;
const ERASE_LINE = '\r\x1b[K';

export class Steps {
  readonly #out: NodeJS.WriteStream;
  #changed = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Steps that changed, or would change, something. */
  get changed(): number {
    return this.#changed;
  }

  /** Runs one step; a throwing one is printed as failed and rethrown. */
  async run<T = undefined>(
    name: string,
    work: (progress: (text: string) => void) => Promise<StepOutcome | [StepOutcome, T]>,
  ): Promise<T> {
    const progress = (text: string) => {
      if (this.#out.isTTY) this.#out.write(`${ERASE_LINE}   ${name.padEnd(NAME_WIDTH)} ${text}`);
    };
    progress('…');
    try {
      const result = await work(progress);
      const [outcome, value] = Array.isArray(result) ? result : [result, undefined as T];
      if (outcome.state === 'done' || outcome.state === 'would') this.#changed += 1;
      this.#line(outcome.state, name, outcome.text);
      return value;
    } catch (error) {
      // Why is said once, by whoever ends the command.
      this.#line('failed', name, 'failed');
      throw error;
    }
  }

  /** A line that a far side's Steps printed; what does not look like one is left out. */
  relay(line: string): void {
    const match = /^ ?(ok|[=?!x-]) (\S+) +(.*)$/.exec(line);
    if (!match) return;
    const [, mark, name, text] = match as unknown as [string, string, string, string];
    if (mark === MARK.done) this.#changed += 1;
    this.#out.write(`${mark.padStart(2)} ${cleanText(name).padEnd(NAME_WIDTH)} ${cleanText(text)}\n`);
  }

  note(text: string): void {
    this.#out.write(`${text}\n`);
  }

  #line(state: keyof typeof MARK, name: string, text: string): void {
    const erase = this.#out.isTTY ? ERASE_LINE : '';
    this.#out.write(`${erase}${MARK[state].padStart(2)} ${name.padEnd(NAME_WIDTH)} ${cleanText(text)}\n`);
  }
}
