/** A roster's text as it is read, or the problem that it has. */
import { expect } from 'vitest';
import type { Roster, RosterAgent } from '../../../src/domain/roster.ts';
import { parseRoster } from '../../../src/roster/parse.ts';

export const rosterOf = (text: string): Roster => {
  const { roster, problem } = parseRoster(text, 'roster.yaml');
  expect(problem).toBeNull();
  return roster!;
};
export const problemOf = (text: string): string | null => parseRoster(text, 'roster.yaml').problem;
export const agentsOf = (text: string): RosterAgent[] => rosterOf(text).agents;

/** A roster of one agent, which has these lines besides. */
export const agent = (lines: string, version = 1) =>
  `version: ${version}\nagents:\n  - name: a\n    runtime: pi\n${lines}`;
