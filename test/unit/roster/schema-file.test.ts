import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromJSONSchema } from 'zod';
import { rosterSchema } from '../../../deploy/build/roster-schema.ts';
import { parseRoster } from '../../../src/roster/parse.ts';

const FILE = join(import.meta.dirname, '../../../deploy/roster.schema.json');
const published = JSON.parse(readFileSync(FILE, 'utf8'));

test('the published schema is the one that reads rosters: node deploy/build/roster-schema.ts > deploy/roster.schema.json', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(rosterSchema())));
});

test('every key says what it is for', () => {
  const silent: string[] = [];
  const look = (schema: Record<string, unknown>, at: string): void => {
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      if (at.startsWith('#/$defs') && !value.description) silent.push(`${at}/${key}`);
      look(value, `${at}/${key}`);
    }
    for (const part of ['items', 'additionalProperties']) {
      if (typeof schema[part] === 'object') look(schema[part] as Record<string, unknown>, at);
    }
  };
  for (const [name, schema] of Object.entries(published.$defs)) look(schema as never, `#/$defs/${name}`);
  expect(silent).toEqual([]);
});

describe('schema and program agree', () => {
  const takes = (roster: { version: number }): boolean =>
    fromJSONSchema(published.$defs[`version${roster.version}`]).safeParse(roster).success;
  const agent = { name: 'a', runtime: 'pi' };
  const one = (over: object, version = 2) => ({ version, agents: [{ ...agent, ...over }] });

  test.each([
    [
      {
        version: 1,
        transport: 'tmux',
        tmux: { socket_name: 's' },
        runtimes: { pi: { reset_command: '/new' } },
        agents: [agent],
      },
    ],
    [one({ class: 'x', host: 'u@h', ssh: 'h', socket: '', model_hint: 'm', persistent_persona: true }, 1)],
    [one({ name: 'a.b' }, 1)],
    [
      one({
        layout: 'isolated',
        lifecycle: 'core',
        effort: 'high',
        env: { A: 1, B: true },
        env_file: 'f',
        restart: 'no',
      }),
    ],
    [{ version: 2, agents: [] }],
    [{ version: 2, defaults: { command: './run', env: { A: 'x' }, restart: 'always' }, agents: [{ name: 'a' }] }],
    [one({ name: 'a.b', layout: 'shared' })],
  ])('both take %j', (roster) => {
    expect(parseRoster(JSON.stringify(roster), 'r').problem).toBeNull();
    expect(takes(roster)).toBe(true);
  });

  test.each([
    [{ version: 1, agents: [] }],
    [{ version: 2, agents: [{ runtime: 'pi' }] }],
    [one({ effort: 'high' }, 1)],
    [one({ modle_hint: 'x' })],
    [one({ name: '-a' }, 1)],
    [one({ name: 'a/b' })],
    [one({ host: 'a@b@c' })],
    [one({ socket: '/tmp/x' })],
    [one({ class: 'a\u001b[31m' })],
    [one({ layout: 'side' })],
    [one({ env: { '1A': 'x' } })],
    [one({ env: { A: ['x'] } })],
  ])('both refuse %j', (roster) => {
    expect(parseRoster(JSON.stringify(roster), 'r').problem).not.toBeNull();
    expect(takes(roster)).toBe(false);
  });
});
