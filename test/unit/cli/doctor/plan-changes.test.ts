import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planChanges } from '../../../../src/cli/doctor/plan-changes.ts';
import { resolvePaths } from '../../../../src/runtime/paths.ts';

const paths = resolvePaths({ home: '/home/jarvis', env: {} });
const { uid, username } = userInfo();
const socket = join('/tmp', `tmux-${uid}`, 'mosaic-factory');

const plan = (kind: string, ...targets: string[]) =>
  planChanges([{ check: 'c', outcome: 'warning', what: 'w', fix: { kind, targets } }], paths);

test.for([
  ['enable-unit', ['mosaic-agent@a.service'], ['systemctl --user enable mosaic-agent@a.service']],
  [
    'enable-unit',
    ['a.service', 'b@\\x20c.service'],
    ['systemctl --user enable a.service', "systemctl --user enable 'b@\\x20c.service'"],
  ],
  ['reload-units', [], ['systemctl --user daemon-reload']],
  ['enable-linger', [username], [`loginctl enable-linger ${username}`]],
  ['close-path', [paths.state], [`chmod go-rwx ${paths.state}`]],
  ['end-session', [socket, '77', '$3', 'a-watch-9'], ["tmux -L mosaic-factory kill-session -t '$3'"]],
] as const)('%s %j is shown as the command that does the same', ([kind, targets, commands]) => {
  const { changes, byHand } = plan(kind, ...targets);
  expect(changes.map(({ command }) => command)).toEqual(commands);
  expect(byHand).toEqual([]);
});

test.for([
  ['enable-unit', ['--now']],
  ['enable-unit', ['a.service; reboot']],
  ['enable-unit', ['a.timer']],
  ['enable-linger', ['somebody-else']],
  ['close-path', ['/home/jarvis']],
  ['close-path', [`${paths.state}/..`]],
  ['end-session', ['/srv/sock', '77', '$3', 'a-watch-9']],
  ['end-session', [socket, '77', '=coder', 'coder']],
  ['end-session', [`${socket}/../../x`, '77', '$3', 'a-watch-9']],
  ['end-session', []],
  ['reinstall', ['everything']],
] as const)('%s %j is no change of a program: a hand is told of it', ([kind, targets]) => {
  expect(plan(kind, ...targets)).toMatchObject({ changes: [], byHand: [{ check: 'c' }] });
});

test('the same change of two findings is made once; what is well changes nothing', () => {
  const fix = { kind: 'reload-units', targets: [] };
  const findings = ['warning', 'failed', 'ok', 'unknown'].map((outcome) => ({ check: 'c', outcome, what: 'w', fix }));
  expect(planChanges(findings, paths)).toMatchObject({ changes: [{ kind: 'reload-units' }], byHand: [] });
});

test('a session is meant by its socket, the life of its server and its id', () => {
  expect(plan('end-session', socket, '77', '$3', 'a-watch-9').changes).toMatchObject([
    { target: 'mosaic-factory:77:$3', session: { socket, serverPid: 77, sessionId: '$3', name: 'a-watch-9' } },
  ]);
});
