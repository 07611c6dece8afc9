/** A pane's screen at one moment, for whoever asks: tmux's rows and facts as a picture. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { ScreenPicture } from '../../src/screen/screen-log.ts';
import { joiningRules } from '../../src/screen/text-columns.ts';
import { lookAtPane, type PaneRows, SCREEN_ROWS } from '../tmux/pane-look.ts';
import type { Questions } from '../tmux/questions.ts';
import { CaptureParser } from './parse-capture.ts';
import type { PaneRef, ScreenReader } from './ports.ts';

export const pictureOf = ({ facts, lines }: PaneRows, parser: CaptureParser, capturedMs: number): ScreenPicture => ({
  width: facts.width,
  height: facts.height,
  cursorX: Math.min(facts.cursorX, Math.max(0, facts.width - 1)),
  cursorY: facts.cursorY,
  cursorVisible: facts.cursorVisible,
  alternateScreen: facts.alternateScreen,
  capturedMs,
  title: facts.title,
  historyLines: facts.historyLines,
  rows: parser.parse(lines, facts, joiningRules(facts.version)),
});

export class PaneScreens implements ScreenReader {
  readonly #questions: Questions;
  readonly #clock: Clock;

  constructor(options: { questions: Questions; clock: Clock }) {
    this.#questions = options.questions;
    this.#clock = options.clock;
  }

  async read(pane: PaneRef, signal: AbortSignal): Promise<ScreenPicture> {
    const rows = await lookAtPane(this.#questions.at(pane.socket), pane, SCREEN_ROWS, signal);
    return pictureOf(rows, new CaptureParser(), this.#clock.nowMs());
  }
}
