import type { FlagSpec } from '../command.ts';

/** Of verbs that answer people with a table or words, and programs with what else is named here. */
export const outputFlag = (...choices: string[]): FlagSpec => ({
  name: 'output',
  short: 'o',
  type: 'string',
  value: 'FORM',
  choices: ['table', ...choices],
  default: 'table',
  help: 'form of the output',
});

/** The same for programs that want one object, and nothing else. */
export const OUTPUT = outputFlag('json');
