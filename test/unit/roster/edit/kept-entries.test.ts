import { expect, test } from 'vitest';
import { asJson } from '../../../../src/roster/edit/as-json.ts';
import { keptEntries } from '../../../../src/roster/edit/kept-entries.ts';
import { parseRoster } from '../../../../src/roster/parse.ts';
import { RosterText } from '../../../../src/roster/roster-text.ts';

const V2 = 'version: 2\nagents:\n- {name: a, runtime: pi}\n';

test('an entry that stays is added as it stood, on the server that it had', () => {
  const from = 'version: 1\nagents:\n- {name: x, runtime: pi}\n- {name: old, runtime: pi, modelHint: m}\n';
  expect(keptEntries(V2, new RosterText(from), [1])).toBe(
    `${V2}- {name: old, runtime: pi, model_hint: m, layout: shared}\n`,
  );
});

test('one that stays in a roster of nobody is its only one', () => {
  const after = keptEntries('version: 2\nagents: []\n', new RosterText(V2), [0]);
  expect(parseRoster(after, 'r').roster?.agents.map(({ name, layout }) => [name, layout])).toEqual([['a', 'isolated']]);
});

test('a roster for a host that keeps JSON says the same as JSON', () => {
  const text = '# why\nversion: 2\ndefaults: &d {env: {A: 1}}\nagents:\n- {name: a, runtime: pi, class: "7"}\n';
  const json = asJson(text);
  expect(JSON.parse(json).agents).toEqual([{ name: 'a', runtime: 'pi', class: '7' }]);
  expect(parseRoster(json, 'r.json')).toEqual(parseRoster(text, 'r.json'));
});
