import { expect, test } from 'vitest';
import { listCommands, newMark } from '../../../../host-agent/tmux/list-format.ts';
import { activityOf, parseLists, signalName } from '../../../../host-agent/tmux/list-parse.ts';

const MARK = '|c0ffee|';
const NOW_MS = 2_000_000;

/** Fills the real formats with values, as tmux does: what has none comes out empty. */
const printed = (kind: 's' | 'p' | 'c', values: Record<string, string>): string => {
  const format = listCommands(MARK)[{ s: 0, p: 1, c: 2 }[kind]]!.at(-1)!;
  return format.replace(/#\{(?:s\/[^/]*\/\?\/:)?([a-z_-]+)\}/g, (_, name: string) => values[name] ?? '');
};
const session = (values: Record<string, string>) =>
  printed('s', { session_id: '$0', session_name: 'one', version: '3.3a', pid: '77', ...values });
const pane = (values: Record<string, string>) =>
  printed('p', { session_id: '$0', window_id: '@0', pane_id: '%0', pane_pid: '7', ...values });
const client = (values: Record<string, string>) => printed('c', { session_id: '$0', ...values });
const parse = (...lines: string[]) => parseLists(lines.join('\n'), MARK, NOW_MS);

test('hostile names, titles and folders arrive whole and in their own fields', () => {
  const texts = ['a b', 'a/b', '😀 é', '"\'`$(x)', '\u001b[31m', 'a,b|c', '%end 1 2 1', '|c0ffe|p', '#{pid}', ''];
  for (const text of texts) {
    const list = parse(
      session({ session_name: text }),
      pane({ pane_title: text, pane_current_path: text, pane_current_command: text }),
    );
    expect(list.sessions.map(({ name }) => name)).toEqual([text]);
    expect(list.panes.get('%0')).toMatchObject({ title: text, cwd: text, command: text });
    expect(list.interleaved).toBe(false);
  }
});

test('a newline inside a value, and a notification between records, spoil no record', () => {
  const list = parse(session({}), '%sessions-changed', pane({ pane_title: 'a\n%end 1 2 1\nb' }));
  expect(list.panes.get('%0')?.title).toBe('a\n%end 1 2 1\nb');
  expect(list.interleaved).toBe(true);
});

test('text that imitates a record without its mark makes none; a broken record is an error, not a guess', () => {
  const mark = newMark();
  expect(parse(session({}), pane({ pane_title: `${mark}p${mark}` })).panes.size).toBe(1);
  expect(() => parse(session({}), pane({ pane_title: MARK }))).toThrow('not understood');
  expect(() => parse(session({}).slice(0, -12))).toThrow('not understood');
});

test('sessions, groups, and panes in order; a pane of a group is one pane with several sessions', () => {
  const list = parse(
    session({ session_group: 'g', session_created: '1000', session_activity: '1500' }),
    session({ session_id: '$1', session_name: 'two', session_group: 'g' }),
    pane({ pane_active: '1', window_active: '0' }),
    pane({ pane_id: '%1' }),
    pane({ session_id: '$1', pane_active: '1', window_active: '1' }),
  );
  expect(list.pid).toBe(77);
  expect(list.sessions).toEqual([
    {
      id: '$0',
      name: 'one',
      group: 'g',
      createdMs: 1_000_000,
      activityMs: 1_500_000,
      attached: 0,
      paneIds: ['%0', '%1'],
    },
    { id: '$1', name: 'two', group: 'g', createdMs: 0, activityMs: null, attached: 0, paneIds: ['%0'] },
  ]);
  expect([...list.panes].map(([id, { active }]) => [id, active])).toEqual([
    ['%0', true],
    ['%1', false],
  ]);
});

test('attached counts clients, but none of any fleet on the machine', () => {
  const list = parse(
    session({}),
    client({ client_termname: 'xterm-256color' }),
    client({ client_termname: 'fleet-observer' }),
    client({ client_termname: '' }),
    client({ session_id: '$9', client_termname: 'xterm' }),
  );
  expect(list.sessions[0]?.attached).toBe(2);
});

test('exit status and signal belong to dead panes only', () => {
  const dead = (values: Record<string, string>) => {
    const { dead, exitStatus, signal } = parse(session({}), pane(values)).panes.get('%0')!;
    return [dead, exitStatus, signal];
  };
  expect(dead({ pane_dead: '1', pane_dead_status: '3' })).toEqual([true, 3, null]);
  expect(dead({ pane_dead: '1', pane_dead_signal: '9' })).toEqual([true, null, 'SIGKILL']);
  expect(dead({ pane_dead: '1' })).toEqual([true, null, null]);
  expect(dead({ pane_dead: '0', pane_dead_status: '0' })).toEqual([false, null, null]);
});

test.each([
  ['9', 'SIGKILL'],
  ['KILL', 'SIGKILL'],
  ['term', 'SIGTERM'],
  ['SIGHUP', 'SIGHUP'],
  ['34', 'SIG34'],
  ['0', null],
  ['', null],
  [undefined, null],
])('signal %s is %s', (said, name) => expect(signalName(said)).toBe(name));

test('activity is the first positive stamp, and never in the future', () => {
  expect(activityOf(['', '1500', '1900'], NOW_MS)).toBe(1_500_000);
  expect(activityOf(['0', '', '1900'], NOW_MS)).toBe(1_900_000);
  expect(activityOf(['9999999'], NOW_MS)).toBe(NOW_MS);
  expect(activityOf(['', '0', '-1'], NOW_MS)).toBeNull();
});

test('traits: options by any of their spellings', () => {
  const traits = (values: Record<string, string>) => parse(session(values)).traits;
  expect(traits({ 'destroy-unattached': '0', 'focus-events': 'off' })).toMatchObject({
    destroyUnattached: new Set(),
    focusEvents: false,
    version: '3.3a',
  });
  expect(traits({ 'destroy-unattached': 'keep-last' }).destroyUnattached).toEqual(new Set(['$0']));
  expect(traits({ 'exit-unattached': '1' }).exitUnattached).toBe(true);
  expect(traits({ 'focus-events': 'on' }).focusEvents).toBe(true);
});
