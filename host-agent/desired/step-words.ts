/** What a step is called, for people: after it was done, and while it is still to be done. */
import type { DeployStep } from './plan-deploy.ts';
import type { RemoveStep } from './plan-remove.ts';

type StepKind = (DeployStep | RemoveStep)['is'];

const WORDS: Readonly<Record<StepKind, readonly [done: string, due: string]>> = {
  stop: ['stopped', 'stop it'],
  'end-session': ['its session ended', 'end its session'],
  'free-socket': ['its env file names no socket any more', 'take the socket out of its env file'],
  'write-env': ['env file made', 'make its env file'],
  'write-unit': ['unit written', 'write its unit'],
  'delete-unit': ['unit deleted', 'delete its unit'],
  'end-holder': ['its holder removed, which nobody needs any more', 'remove its holder if nobody needs it'],
  'write-holder': ['unit of the holder written', 'write the unit of the holder'],
  enable: ['enabled', 'enable it'],
  disable: ['disabled', 'disable it'],
  reload: ['', ''],
  linger: ['linger turned on', 'turn linger on'],
  start: ['started', 'start it'],
  restart: ['restarted', 'restart it'],
  forget: ['launch files deleted', 'delete its launch files'],
  purge: ['env file and records deleted', 'delete its env file and records'],
};

export const doneWords = (kind: StepKind): string => WORDS[kind][0];

export const dueWords = (steps: readonly { is: StepKind }[]): string =>
  steps
    .map(({ is }) => WORDS[is][1])
    .filter((words) => words !== '')
    .join(', ');
