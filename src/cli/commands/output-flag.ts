import type { FlagSpec } from '../command.ts';

/** Of verbs that answer people with a table or words, and programs with one object. */
export const OUTPUT: FlagSpec = {
  name: 'output',
  short: 'o',
  type: 'string',
  value: 'FORM',
  choices: ['table', 'json'],
  default: 'table',
  help: 'form of the output',
};
