/**
 * In: what the list commands printed, and the mark that framed it. Out: sessions and panes as the inventory's
 * port names them. Never: a record read from text that is not framed whole.
 */
import { constants } from 'node:os';
import { FleetError } from '../../src/domain/errors.ts';
import type { TmuxPane, TmuxSession } from '../inventory/source.ts';
import { CLIENT_FIELDS, CLIENT_TEXTS, PANE_FIELDS, PANE_TEXTS, SESSION_FIELDS, SESSION_TEXTS } from './list-format.ts';
import { OBSERVER_TERM } from './observer.ts';

/** What decides whether following this server would change its life (see attach-risk.ts). */
export interface ServerTraits {
  version: string | null;
  exitUnattached: boolean;
  focusEvents: boolean;
  /** Sessions that end when their last client leaves. */
  destroyUnattached: Set<string>;
  /** Window ids of each session. */
  windowsOf: Map<string, Set<string>>;
  /** Pane ids of each window. */
  panesOf: Map<string, Set<string>>;
}

export interface ServerList {
  pid: number | null;
  sessions: TmuxSession[];
  panes: Map<string, TmuxPane>;
  traits: ServerTraits;
  /** Lines stood between the records: notifications of servers before 3.8, so the list may be old already. */
  interleaved: boolean;
}

type Values = Record<string, string>;

const isOn = (option: string | undefined): boolean => option !== undefined && !['', '0', 'off'].includes(option);
const numberOf = (text: string | undefined): number | null => (text && /^-?\d+$/.test(text) ? Number(text) : null);
const textOf = (text: string | undefined): string | null => (text ? text : null);

/** First positive of these epoch seconds as milliseconds, never later than now (pane_activity is empty on 3.4). */
export const activityOf = (seconds: readonly (string | undefined)[], nowMs: number): number | null => {
  const first = seconds.map((each) => numberOf(each) ?? 0).find((each) => each > 0);
  return first === undefined ? null : Math.min(first * 1_000, nowMs);
};

/** tmux says `9`, `KILL` or `SIGKILL`, by platform and version; here always `SIGKILL`. */
export const signalName = (said: string | undefined): string | null => {
  if (!said || said === '0') return null;
  const number = numberOf(said);
  if (number === null) return `SIG${said.toUpperCase().replace(/^SIG/, '')}`;
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `SIG${number}`;
};

const zip = (names: readonly string[], values: readonly string[]): Values =>
  Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));

const SHAPES: Record<string, { fields: readonly string[]; texts: readonly string[] }> = {
  s: { fields: SESSION_FIELDS, texts: SESSION_TEXTS },
  p: { fields: PANE_FIELDS, texts: PANE_TEXTS },
  c: { fields: CLIENT_FIELDS, texts: CLIENT_TEXTS },
};

/** `mark kind mark fields mark text mark … mark . mark`, one after the other, with anything between. */
const readRecords = (text: string, mark: string): { records: { kind: string; values: Values }[]; between: string } => {
  const tokens = text.split(mark);
  const records: { kind: string; values: Values }[] = [];
  let between = tokens[0] ?? '';
  let at = 1;
  while (at < tokens.length) {
    const kind = tokens[at] ?? '';
    const shape = SHAPES[kind];
    const end = at + 2 + (shape?.texts.length ?? 0);
    const fields = (tokens[at + 1] ?? '').split(',');
    if (!shape || tokens[end] !== '.' || fields.length !== shape.fields.length) {
      throw new FleetError('INTERNAL', 'the tmux server answered a list in a shape that is not understood');
    }
    records.push({ kind, values: { ...zip(shape.fields, fields), ...zip(shape.texts, tokens.slice(at + 2, end)) } });
    between += tokens[end + 1] ?? '';
    at = end + 2;
  }
  return { records, between };
};

const sessionOf = (values: Values, nowMs: number): TmuxSession => ({
  id: values.session_id!,
  name: values.session_name!,
  group: textOf(values.session_group),
  createdMs: (numberOf(values.session_created) ?? 0) * 1_000,
  activityMs: activityOf([values.session_activity], nowMs),
  attached: 0,
  paneIds: [],
});

const paneOf = (values: Values, nowMs: number): TmuxPane => {
  const dead = values.pane_dead === '1';
  return {
    id: values.pane_id!,
    pid: numberOf(values.pane_pid) ?? 0,
    tty: textOf(values.pane_tty),
    command: values.pane_current_command!,
    title: values.pane_title!,
    cwd: values.pane_current_path!,
    dead,
    exitStatus: dead ? numberOf(values.pane_dead_status) : null,
    signal: dead ? signalName(values.pane_dead_signal) : null,
    width: numberOf(values.pane_width) ?? 0,
    height: numberOf(values.pane_height) ?? 0,
    alternateScreen: values.alternate_on === '1',
    activityMs: activityOf([values.pane_activity, values.window_activity, values.session_activity], nowMs),
    active: values.pane_active === '1' && values.window_active === '1',
    inMode: (numberOf(values.pane_in_mode) ?? 0) > 0,
  };
};

const addTo = (map: Map<string, Set<string>>, key: string, value: string): void => {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
};

/** Throws INTERNAL when the text is not what the formats ask for. */
export const parseLists = (text: string, mark: string, nowMs: number): ServerList => {
  const { records, between } = readRecords(text, mark);
  const sessions = new Map<string, TmuxSession>();
  const panes = new Map<string, TmuxPane>();
  const traits: ServerTraits = {
    version: null,
    exitUnattached: false,
    focusEvents: false,
    destroyUnattached: new Set(),
    windowsOf: new Map(),
    panesOf: new Map(),
  };
  let pid: number | null = null;
  for (const { kind, values } of records) {
    const id = values.session_id!;
    if (kind === 's') {
      sessions.set(id, sessionOf(values, nowMs));
      pid = numberOf(values.pid);
      traits.version = textOf(values.version);
      traits.exitUnattached = isOn(values['exit-unattached']);
      traits.focusEvents = isOn(values['focus-events']);
      if (isOn(values['destroy-unattached'])) traits.destroyUnattached.add(id);
      continue;
    }
    // Its session came or went between two lists of one look; the notification brings the next look.
    const session = sessions.get(id);
    if (!session) continue;
    if (kind === 'c') {
      if (values.client_termname !== OBSERVER_TERM) session.attached += 1;
      continue;
    }
    const pane = paneOf(values, nowMs);
    session.paneIds.push(pane.id);
    // A pane of grouped sessions is listed once for each: active in one is active.
    panes.set(pane.id, { ...pane, active: pane.active || panes.get(pane.id)?.active === true });
    addTo(traits.windowsOf, id, values.window_id!);
    addTo(traits.panesOf, values.window_id!, pane.id);
  }
  return { pid, sessions: [...sessions.values()], panes, traits, interleaved: between.trim() !== '' };
};
