import { describe, expect, test } from 'vitest';
import { launchSocketOf, type RosterAgent } from '../../../../src/domain/roster.ts';
import type { KeyChange, RosterChanges } from '../../../../src/roster/edit/changes.ts';
import { editRoster } from '../../../../src/roster/edit/edit-roster.ts';
import { migratedRoster } from '../../../../src/roster/edit/migrated-roster.ts';
import { rosterPartOf } from '../../../../src/roster/edit/roster-part.ts';
import { parseRoster } from '../../../../src/roster/parse.ts';
import { RosterText } from '../../../../src/roster/roster-text.ts';
import { type Chance, chance } from '../chance.ts';

const ROUNDS = 300;

const pick = <T>(list: readonly T[], next: Chance): T => list[Math.floor(next() * list.length)]!;
const some = (next: Chance, share: number, text: string): string => (next() < share ? text : '');

const COMMENTS = ['', '', '  # about it\n', '\n  # section\n\n', '\n', '  # one\n  # two\n', '# far left\n'];

/** A good roster, as many hands may have written it. */
const randomRoster = (next: Chance): string => {
  const names = ['a', 'b', 'c', 'd', 'e'].slice(0, 1 + Math.floor(next() * 5));
  const model = next() < 0.5 ? 'model_hint' : 'modelHint';
  const entries = names.map((name) => {
    const host = next() < 0.4 ? pick(['h1', 'u@h2'], next) : null;
    if (next() < 0.3)
      return `${pick(COMMENTS, next)}  - {name: ${name},  runtime: pi${host ? `, host: ${host}` : ''}}${some(next, 0.3, `  # of ${name}`)}\n`;
    return [
      pick(COMMENTS, next),
      `  - name: ${name}${some(next, 0.3, `   # of ${name}`)}\n`,
      '    runtime:   pi\n',
      host ? `    host: ${host}\n` : '',
      some(next, 0.4, `    ${model}: m${some(next, 0.5, ' # hint')}\n`),
      some(next, 0.2, '    # inside\n'),
      some(next, 0.3, `    working_directory: ${pick(['x', "'7'", '"a # b"'], next)}\n`),
      some(next, 0.2, '    # last inside\n'),
    ].join('');
  });
  const text = `${some(next, 0.5, '# head\n')}version: ${pick([1, 2], next)}\n${some(next, 0.4, 'tmux: {socket_name: s}\n')}${some(next, 0.3, 'defaults:\n  working_directory: ~/x\n')}agents:\n${entries.join('')}${some(next, 0.3, '# tail\n')}`;
  return next() < 0.2 ? text.replaceAll('\n', '\r\n') : text;
};

const randomKeys = (next: Chance): KeyChange[] =>
  ['model_hint', 'class', 'working_directory'].flatMap((key): KeyChange[] =>
    next() < 0.5 ? [{ path: [key], value: pick([null, 'new', 'a: b', '# x', '7', 'x'.repeat(200)], next) }] : [],
  );

const agentsOf = (text: string) => {
  const { roster, problem } = parseRoster(text, 'f');
  expect(problem, JSON.stringify(text)).toBeNull();
  return roster!.agents;
};

const isolated = (agent: RosterAgent): RosterAgent => ({
  ...agent,
  layout: 'isolated',
  socketName: launchSocketOf(agent.name),
});

describe.each([1, 2, 3])('a roster edited by a program (seed %i)', (seed) => {
  test('says what was asked for, says all else as before, and keeps the lines of those who stay', () => {
    const next = chance(seed);
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = randomRoster(next);
      const before = agentsOf(text);
      const remove = new Set(before.flatMap((_, index) => (next() < 0.4 ? [index] : [])));
      const add =
        next() < 0.3 ? [{ name: 'new', runtime: 'pi', working_directory: pick(['x', 'a: b', '7'], next) }] : [];
      const after = editRoster(text, { remove, add });
      const kept = before.filter((_, index) => !remove.has(index));
      const version2 = kept.length + add.length === 0 && text.includes('version: 1');
      expect(
        agentsOf(after).map(({ name, model, workingDirectory }) => ({ name, model, workingDirectory })),
        JSON.stringify(text),
      ).toEqual([
        ...kept.map(({ name, model, workingDirectory }) => ({ name, model, workingDirectory })),
        ...add.map(({ name, working_directory }) => ({ name, model: null, workingDirectory: working_directory })),
      ]);
      const lines = new Set(after.split('\n'));
      const must = text
        .split('\n')
        .filter((line) => kept.some(({ name }) => new RegExp(`name: ${name}\\b`).test(line)));
      if (!version2 && kept.length > 0)
        expect(
          must.filter((line) => !lines.has(line)),
          JSON.stringify({ text, after }),
        ).toEqual([]);
    }
  });

  test('has the keys that were set, and each entry that was not meant stays as it is', () => {
    const next = chance(seed + 100);
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = randomRoster(next);
      const before = agentsOf(text);
      const index = Math.floor(next() * before.length);
      const keys = randomKeys(next);
      const changes: RosterChanges = { change: new Map([[index, keys]]) };
      const after = agentsOf(editRoster(text, changes));
      const said = (key: string, old: string | null, absent: string | null): string | null => {
        const change = keys.find(({ path }) => path[0] === key);
        return change === undefined ? old : ((change.value as string | null) ?? absent);
      };
      const fallback = text.includes('~/x') ? '~/x' : '~/src';
      const { model, role, workingDirectory } = before[index]!;
      expect(after[index], JSON.stringify({ text, keys })).toEqual({
        ...before[index],
        model: said('model_hint', model, null),
        role: said('class', role, null),
        workingDirectory: said('working_directory', workingDirectory, fallback),
      });
      expect(after.filter((_, at) => at !== index)).toEqual(before.filter((_, at) => at !== index));
    }
  });

  test('in parts, one for each place, is the whole again', () => {
    const next = chance(seed + 200);
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = new RosterText(randomRoster(next));
      const { roster } = parseRoster(text, 'f');
      const places = [...new Set(roster!.agents.map(({ host }) => host))];
      const parts = places.map((host) =>
        agentsOf(
          rosterPartOf(
            { text, roster: roster! },
            roster!.agents.filter((agent) => agent.host === host),
          ),
        ),
      );
      expect(
        parts
          .flat()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(roster!.agents.map(({ name }) => name).sort());
      for (const agent of parts.flat()) expect(roster!.agents, JSON.stringify(text)).toContainEqual(agent);
    }
  });

  test('migrated, has a layout of its own for those who move and says all else as before', () => {
    const next = chance(seed + 300);
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = randomRoster(next);
      const { roster } = parseRoster(text, 'f');
      const moved = roster!.agents.filter(() => next() < 0.5);
      const after = agentsOf(migratedRoster(new RosterText(text), roster!, moved));
      const names = new Set(moved.map(({ name }) => name));
      expect(after, JSON.stringify(text)).toEqual(
        roster!.agents.map((agent) => (names.has(agent.name) && agent.layout === 'shared' ? isolated(agent) : agent)),
      );
    }
  });
});
