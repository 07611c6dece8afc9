import { expect, test } from 'vitest';
import { type CandidatePane, isHolderSession, ownPane } from '../../../src/domain/own-pane.ts';
import { seenTree } from './seen-tree.ts';

const shell = (id: string): CandidatePane => ({ id, tree: seenTree({ run: '-bash' }) });
const agent = (id: string): CandidatePane => ({ id, tree: seenTree({ run: '/opt/claude' }) });
const dead = (id: string): CandidatePane => ({ id, tree: null });
const beating = (id: string, pid: number): CandidatePane => {
  const [root] = seenTree({ run: '/opt/own-agent' }).processes;
  return { id, tree: { processes: [root!, { ...root!, pid, ppid: root!.pid }] } };
};

test.each<[string, CandidatePane[], string | null, number | null, string | null, string | null]>([
  ['the recorded pane, whatever runs elsewhere', [shell('%1'), agent('%2')], '%1', null, '%1', null],
  ['a recorded pane that is gone does not count', [shell('%1'), agent('%2')], '%9', null, '%2', null],
  ['the pane that runs an agent beside shells', [shell('%1'), agent('%2'), shell('%3')], null, null, '%2', null],
  ['the pane with the pid of the heartbeat', [shell('%1'), beating('%2', 555)], null, 555, '%2', null],
  ['the only pane, even a shell', [shell('%1')], null, null, '%1', null],
  ['the only pane, even dead', [dead('%1')], null, null, '%1', null],
  ['two agents', [agent('%1'), agent('%2')], null, null, null, 'several panes'],
  ['an agent beside the pid of the heartbeat', [agent('%1'), beating('%2', 555)], null, 555, null, 'several panes'],
  ['several shells', [shell('%1'), shell('%2')], null, null, null, 'several panes'],
  ['a dead pane beside a shell', [dead('%1'), shell('%2')], null, null, null, 'several panes'],
  ['a dead pane beside the agent', [dead('%1'), agent('%2')], null, null, '%2', null],
  ['nothing', [], null, null, null, 'no pane'],
])('%s', (_, panes, recordedPaneId, heartbeatPid, paneId, unknownBecause) => {
  expect(ownPane(panes, { recordedPaneId, heartbeatPid })).toEqual({ paneId, unknownBecause });
});

test('holders are the usual name and the one that the roster gives', () => {
  expect(isHolderSession('_holder', null)).toBe(true);
  expect(isHolderSession('keeper', 'keeper')).toBe(true);
  expect(isHolderSession('_holder', 'keeper')).toBe(true);
  expect(isHolderSession('coder', null)).toBe(false);
});
