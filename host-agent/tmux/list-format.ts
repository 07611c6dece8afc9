/**
 * What is asked of a server, as formats for tmux 3.2a to 3.7: a field that a version lacks comes out empty.
 * Fixed fields first, joined by commas; free text last, each between marks that no text can contain by chance.
 */
import { randomBytes } from 'node:crypto';

export const SESSION_FIELDS = [
  'session_id',
  'session_created',
  'session_activity',
  'pid',
  'version',
  'destroy-unattached',
  'exit-unattached',
  'focus-events',
] as const;
export const SESSION_TEXTS = ['session_group', 'session_name'] as const;

export const PANE_FIELDS = [
  'session_id',
  'window_id',
  'pane_id',
  'pane_pid',
  'pane_dead',
  'pane_dead_status',
  'pane_dead_signal',
  'pane_width',
  'pane_height',
  'alternate_on',
  'pane_active',
  'window_active',
  'pane_in_mode',
  'pane_activity',
  'window_activity',
  'session_activity',
] as const;
export const PANE_TEXTS = ['pane_tty', 'pane_current_command', 'pane_title', 'pane_current_path'] as const;

export const CLIENT_FIELDS = ['session_id'] as const;
export const CLIENT_TEXTS = ['client_termname'] as const;

export type RecordKind = 's' | 'p' | 'c';

/** New for each conversation, so that a title written to look like a record cannot be one. */
export const newMark = (): string => `|${randomBytes(6).toString('hex')}|`;

/** tmux prints a newline of a folder's name as it is, into the middle of the protocol (seen on 3.3a). */
export const withoutControls = (text: string): string => `#{s/[\x01-\x1f]/?/:${text}}`;

const record = (mark: string, kind: RecordKind, fields: readonly string[], texts: readonly string[]): string =>
  [mark + kind, fields.map((field) => `#{${field}}`).join(','), ...texts.map(withoutControls), `.${mark}`].join(mark);

/** The three lists, each one tmux command as arguments; order matters to the reader: sessions first. */
export const listCommands = (mark: string): string[][] => [
  ['list-sessions', '-F', record(mark, 's', SESSION_FIELDS, SESSION_TEXTS)],
  ['list-panes', '-a', '-F', record(mark, 'p', PANE_FIELDS, PANE_TEXTS)],
  ['list-clients', '-F', record(mark, 'c', CLIENT_FIELDS, CLIENT_TEXTS)],
];

/** A format changes when anything of interest does; its value is never read, so it has no marks. */
export const subscriptionFormat = (): string => {
  const all = (fields: readonly string[]) => fields.map((field) => `#{${field}}`).join(' ');
  const texts = (fields: readonly string[]) => fields.map(withoutControls).join(' ');
  const sessions = `${all(SESSION_FIELDS.filter((field) => field !== 'session_activity'))} #{session_attached} `;
  const panes = `#{P:${all(PANE_FIELDS.filter((field) => field !== 'session_activity'))} ${texts(PANE_TEXTS)}}`;
  return `#{S:${sessions}${texts(SESSION_TEXTS)}#{W:${panes}}}`;
};

/** A control line of a command: no argument of ours holds a single quote. */
export const controlLine = (args: readonly string[]): string =>
  args.map((arg) => (/^[A-Za-z-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
