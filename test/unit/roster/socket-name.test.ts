import { describe, expect, test } from 'vitest';
import { withLaunchSockets } from '../../../src/roster/socket-name.ts';
import { agentsOf, problemOf, rosterOf } from './parsed.ts';

test("the launch's own socket outranks the roster's, whether the entry names this host or none", () => {
  const roster = rosterOf(
    'version: 1\ntmux: {socket_name: s}\nagents:\n- {name: a, runtime: pi}\n- {name: a, runtime: pi, host: h}\n- {name: b, runtime: pi}\n',
  );
  const env = new Map([['a', new Map([['MOSAIC_TMUX_SOCKET', 'mosaic-fleet']])]]);
  expect(withLaunchSockets(roster, env).agents.map(({ socketName }) => socketName)).toEqual([
    'mosaic-fleet',
    'mosaic-fleet',
    's',
  ]);
  const empty = new Map([['b', new Map([['MOSAIC_TMUX_SOCKET', '']])]]);
  expect(withLaunchSockets(roster, empty).agents.map(({ socketName }) => socketName)).toEqual(['s', 's', null]);
});

describe('the socket of an isolated agent', () => {
  const agents = (...lines: string[]) =>
    `version: 2\ntmux: {socket_name: s}\nagents:\n${lines.map((line) => `- ${line}\n`).join('')}`;

  test('is its own, whatever the roster names for all; a shared one has that of all', () => {
    const text = agents(
      '{name: a, runtime: pi}',
      '{name: b, runtime: pi, layout: shared}',
      '{name: c, runtime: pi, socket: x}',
    );
    expect(agentsOf(text).map(({ socketName }) => socketName)).toEqual(['fleet-a', 's', 'x']);
  });

  test.each(["''", 'default'])('is never tmux’s default one (%s)', (socket) => {
    expect(problemOf(agents(`{name: a, runtime: pi, socket: ${socket}}`))).toMatch(
      /^roster\.yaml:4:34: an isolated agent's server is its own, never tmux's default one: /,
    );
    expect(problemOf(agents(`{name: a, runtime: pi, layout: shared, socket: ${socket}}`))).toBeNull();
  });

  test.each([
    ['{name: a, runtime: pi, socket: x}', '{name: b, runtime: pi, socket: x}', '5:34', 'x'],
    ['{name: a, runtime: pi, layout: shared}', '{name: b, runtime: pi, socket: s}', '5:34', 's'],
    ['{name: a, runtime: pi, socket: fleet-b}', '{name: b, runtime: pi}', '5:10', 'fleet-b'],
  ])('is nobody else’s: %s beside %s', (a, b, place, socket) => {
    expect(problemOf(agents(a, b))).toBe(
      `roster.yaml:${place}: an isolated agent's server is its own, but \`a\` is on socket \`${socket}\` too`,
    );
    expect(problemOf(agents(a, b.replace('runtime', 'host: h, runtime')))).toBeNull();
  });
});
