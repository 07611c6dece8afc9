import { describe, expect, test } from 'vitest';
import type { RosterChanges } from '../../../../src/roster/edit/changes.ts';
import { editRoster } from '../../../../src/roster/edit/edit-roster.ts';
import { parseRoster } from '../../../../src/roster/parse.ts';

const ROSTER = `# of W-jarvis
version: 1   # as Mosaic wrote it
defaults: {working_directory: ~/x}

agents:
  # the first
  - name: a      # who
    runtime: pi
    modelHint: old  # why
    # said inside

  # section

  # about b
  - {name: b, runtime: 'pi'}   # short

  - name: c
    class: |
      one
# end
`;

const edited = (changes: RosterChanges, text = ROSTER): string => {
  const after = editRoster(text, changes);
  expect(parseRoster(after, 'f').problem).toBeNull();
  return after;
};
const removed = (...indices: number[]): RosterChanges => ({ remove: new Set(indices) });
/** What left, and what came, as lines in order. */
const differing = (after: string, before = ROSTER): { gone: string[]; come: string[] } => {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return { gone: old.filter((line) => !now.includes(line)), come: now.filter((line) => !old.includes(line)) };
};
const C = ROSTER.replace('class: |\n      one', 'runtime: pi');

describe('a removed agent', () => {
  test('goes with its comments, and every other line stays as it was', () => {
    expect(differing(edited(removed(0), C), C)).toEqual({
      gone: ['  # the first', '  - name: a      # who', '    modelHint: old  # why', '    # said inside'],
      come: [],
    });
    expect(edited(removed(1), C)).toContain('    # said inside\n\n  # section\n\n  - name: c\n');
    expect(edited(removed(2), C)).toMatch(/ {3}# short\n\n# end\n$/);
  });

  test('that was the last one leaves a roster of version 2 with none', () => {
    expect(edited(removed(0, 1, 2), C)).toBe(
      '# of W-jarvis\nversion: 2   # as Mosaic wrote it\ndefaults: {working_directory: ~/x}\n\nagents: []\n  # section\n\n# end\n',
    );
  });

  test('may have lent something to another one, which then says it itself', () => {
    const text = 'version: 1\nagents:\n- name: a\n  runtime: &r pi\n- name: b\n  runtime: *r\n';
    expect(edited(removed(0), text)).toBe('version: 1\nagents:\n- name: b\n  runtime: pi\n');
  });
});

describe('keys of an agent', () => {
  const change = (index: number, ...keys: [string, string | null][]): RosterChanges => ({
    change: new Map([[index, keys.map(([key, value]) => ({ path: [key] as const, value }))]]),
  });

  test('are set in the spelling that stands there, with the comment behind them', () => {
    expect(differing(edited(change(0, ['model_hint', 'new:x'], ['class', '# r']), C), C).come).toEqual([
      '  - name: a # who',
      '    modelHint: new:x # why',
      '    class: "# r"',
    ]);
  });

  test('are set in the braces of an entry on one line', () => {
    expect(edited(change(1, ['class', 'z']), C)).toContain("  - {name: b, runtime: 'pi', class: z} # short\n");
  });

  test('are taken away, and what was not there stays away', () => {
    const after = edited(change(0, ['model_hint', null], ['class', null]), C);
    expect(differing(after, C).gone).toContain('    modelHint: old  # why');
    expect(after).not.toContain('odel');
    expect(after).toContain('    # said inside\n\n  # section\n');
  });

  test('in env stand one by one, and no empty env is left over', () => {
    const text = 'version: 2\nagents:\n- name: a\n  runtime: pi\n';
    const env = (name: string, value: string | null): RosterChanges => ({
      change: new Map([[0, [{ path: ['env', name], value }]]]),
    });
    const one = edited(env('A', '1'), text);
    expect(one).toBe(`${text}  env:\n    A: "1"\n`);
    expect(edited(env('B', 'x'), one)).toBe(`${one}    B: x\n`);
    expect(edited(env('A', null), one)).toBe(text);
  });
});

describe('an added agent', () => {
  const add = (name: string): RosterChanges => ({ add: [{ name, runtime: 'pi' }] });

  test('stands behind the last one, in its style', () => {
    expect(edited(add('d'), C)).toContain('\n  - name: c\n    runtime: pi\n\n  - name: d\n    runtime: pi\n# end\n');
    const flow = 'version: 1\nagents:\n- {name: a, runtime: pi}\n- { name: b, runtime: pi }\n';
    expect(edited(add('d'), flow)).toBe(`${flow}- {name: d, runtime: pi}\n`);
    const wide = 'version: 1\nagents:\n-   name: a\n    runtime: pi';
    expect(edited(add('d'), wide)).toBe(`${wide}\n-   name: d\n    runtime: pi`);
  });

  test('is the first of a roster that had none', () => {
    expect(edited(add('d'), 'version: 2\nagents: [] # none yet\n')).toBe(
      'version: 2\nagents: # none yet\n  - name: d\n    runtime: pi\n',
    );
  });
});

test('JSON stays JSON, with its indentation', () => {
  const json = (indent?: number | string) =>
    `${JSON.stringify({ version: 2, agents: [{ name: 'a', runtime: 'pi', modelHint: 'm' }] }, null, indent)}\n`;
  for (const indent of [undefined, 2, '\t']) {
    const after = edited(
      { change: new Map([[0, [{ path: ['model_hint'], value: 'n' }]]]), add: [{ name: 'b', runtime: 'pi' }] },
      json(indent),
    );
    const agents = [
      { name: 'a', runtime: 'pi', modelHint: 'n' },
      { name: 'b', runtime: 'pi' },
    ];
    expect(after).toBe(`${JSON.stringify({ version: 2, agents }, null, indent)}\n`);
  }
});

test('agents in one list in brackets are written anew, with their comments', () => {
  const text = '# why\nversion: 1\nagents: [ { name: a, runtime: pi }, # first\n  { name: b, runtime: pi } ]\n';
  expect(edited(removed(1), text)).toMatch(/^# why\nversion: 1\nagents:/);
});

test('line ends of another system stay', () => {
  const text = C.replaceAll('\n', '\r\n');
  const after = edited({ ...removed(1), add: [{ name: 'd', runtime: 'pi' }] }, text);
  expect(after.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
});

describe('defaults', () => {
  const layout: RosterChanges = { version2: true, defaults: [{ path: ['layout'], value: 'shared' }] };

  test.each([
    ['defaults: {working_directory: ~/x} # d\n', 'defaults: {working_directory: ~/x, layout: shared} # d\n'],
    ['defaults: {}\n', 'defaults: { layout: shared}\n'],
    [
      'defaults:\n    # d\n    working_directory: ~/x\n',
      'defaults:\n    layout: shared\n    # d\n    working_directory: ~/x\n',
    ],
    ['# of all\n', 'defaults:\n  layout: shared\n# of all\n'],
  ])('%j become %j', (before, after) => {
    const text = (middle: string, version: number) =>
      `version: ${version}\n${middle}agents:\n- {name: a,   runtime: pi}\n`;
    expect(edited(layout, text(before, 1))).toBe(text(after, 2));
  });
});
