/**
 * What is asked of one pane, and how the answer is read: facts on the first line, then its rows. Never: the rows of
 * another life of the pane than the one that was meant.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { newMark, withoutControls } from './list-format.ts';
import type { Ask } from './questions.ts';

export interface PaneFacts {
  dead: boolean;
  width: number;
  height: number;
  /** May equal the width: the next character wraps. */
  cursorX: number;
  cursorY: number;
  cursorVisible: boolean;
  alternateScreen: boolean;
  /** Lines above the screen, and how many there can be. */
  historyLines: number;
  historyLimit: number;
  version: string;
  title: string;
}

export interface PaneRows {
  facts: PaneFacts;
  lines: Buffer[];
}

const FIELDS = [
  'pane_id',
  'pane_pid',
  'pane_dead',
  'pane_width',
  'pane_height',
  'cursor_x',
  'cursor_y',
  'cursor_flag',
  'alternate_on',
  'history_size',
  'history_limit',
  'version',
] as const;

/** `-e -N` is the screen with its looks; a tail asks for other rows. */
export const SCREEN_ROWS = ['-e', '-N'] as const;

/** Rejects with NOT_FOUND when that life of the pane is over, and as `ask` does. */
export const lookAtPane = async (
  ask: Ask,
  pane: { paneId: string; panePid: number },
  rows: readonly string[],
  signal: AbortSignal,
): Promise<PaneRows> => {
  const mark = newMark();
  const format = `${mark}${FIELDS.map((field) => `#{${field}}`).join(',')}${mark}${withoutControls('pane_title')}${mark}`;
  const lines = await ask(
    [
      ['display-message', '-p', '-t', pane.paneId, format],
      ['capture-pane', '-p', ...rows, '-t', pane.paneId],
    ],
    signal,
  );
  const [, fields = '', title = ''] = (lines[0] ?? Buffer.alloc(0)).toString('utf8').split(mark);
  const values = fields.split(',');
  if (values[0] !== pane.paneId || Number(values[1]) !== pane.panePid)
    throw new FleetError('NOT_FOUND', 'the pane is gone');
  const number = (at: number): number => Number(values[at]) || 0;
  return {
    facts: {
      dead: values[2] === '1',
      width: number(3),
      height: number(4),
      cursorX: number(5),
      cursorY: number(6),
      cursorVisible: values[7] === '1',
      alternateScreen: values[8] === '1',
      historyLines: number(9),
      historyLimit: number(10),
      version: values[11] ?? '',
      title,
    },
    lines: lines.slice(1),
  };
};
