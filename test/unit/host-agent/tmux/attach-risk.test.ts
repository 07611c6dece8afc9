import { expect, test } from 'vitest';
import type { TmuxSession } from '../../../../host-agent/inventory/source.ts';
import { chooseFollowing, crashRisk, hookRisk, mustSettle } from '../../../../host-agent/tmux/attach-risk.ts';
import type { ServerTraits } from '../../../../host-agent/tmux/list-parse.ts';

const session = (id: string, values: Partial<TmuxSession> = {}): TmuxSession => ({
  id,
  name: `s${id.slice(1)}`,
  group: null,
  createdMs: 1,
  activityMs: 1,
  attached: 0,
  paneIds: [],
  ...values,
});

/** Windows of each session, and panes of each window, by counts: [[1, 2]] is one session with two windows. */
const traits = (shape: number[][], values: Partial<ServerTraits> = {}): ServerTraits => {
  const windowsOf = new Map<string, Set<string>>();
  const panesOf = new Map<string, Set<string>>();
  shape.forEach((windows, s) => {
    windowsOf.set(`$${s}`, new Set(windows.map((_, w) => `@${s}.${w}`)));
    windows.forEach((panes, w) => {
      panesOf.set(`@${s}.${w}`, new Set(Array.from({ length: panes }, (_, p) => `%${s}.${w}.${p}`)));
    });
  });
  const version = '3.3a';
  return {
    version,
    exitUnattached: false,
    focusEvents: false,
    destroyUnattached: new Set(),
    windowsOf,
    panesOf,
    ...values,
  };
};

test('single-window, single-pane sessions are followed, on every supported version', () => {
  for (const version of ['3.2a', '3.3a', '3.4', '3.6b', '3.7c', null]) {
    expect(chooseFollowing([session('$0'), session('$1')], traits([[1], [1]], { version }))).toHaveProperty('follow');
  }
  expect(chooseFollowing([session('$0')], traits([[1]], { version: '3.1c' }))).toHaveProperty('poll');
});

test('a crash of the server is risked only where it could take nothing that is not ending anyway', () => {
  const risks = (version: string, shape: number[][]) => crashRisk(traits(shape, { version })) !== null;
  expect(risks('3.3a', [[1, 1]])).toBe(false);
  expect(risks('3.3a', [[2]])).toBe(false);
  expect(risks('3.3a', [[1, 1], [1]])).toBe(true);
  expect(risks('3.3a', [[2], [1]])).toBe(true);
  expect(risks('3.3a', [[2, 1]])).toBe(true);
  expect(risks('3.7c', [[1, 1], [1]])).toBe(true);
  expect(risks('3.7c', [[2], [1]])).toBe(false);
  expect(risks('next-3.8', [[1, 1], [1]])).toBe(true);
  expect(
    risks('3.8', [
      [2, 2],
      [2, 2],
    ]),
  ).toBe(false);
  expect(risks('openbsd-7.7', [[2], [1]])).toBe(true);
});

test('options that make a client matter forbid it, with the reason', () => {
  const poll = (values: Partial<ServerTraits>) => chooseFollowing([session('$0')], traits([[1]], values));
  expect(poll({ destroyUnattached: new Set(['$0']) })).toEqual({ poll: expect.stringContaining('destroy-unattached') });
  expect(poll({ exitUnattached: true })).toEqual({ poll: expect.stringContaining('exit-unattached') });
  expect(poll({ focusEvents: true })).toEqual({ poll: expect.stringContaining('focus-events') });
  expect(chooseFollowing([], traits([]))).toEqual({ poll: 'no session to attach to' });
});

test('the session to attach to: never one that would die with us, a holder first, then the one out of use', () => {
  const sessions = [
    session('$0', { activityMs: 1 }),
    session('$1', { activityMs: 5 }),
    session('$2', { activityMs: 4 }),
    session('$3', { name: '_holder', activityMs: 9 }),
  ];
  const chosen = (destroy: string[]) => {
    const choice = chooseFollowing(sessions, traits([[1]], { destroyUnattached: new Set(destroy) }));
    return 'follow' in choice ? choice.follow.id : choice.poll;
  };
  expect(chosen([])).toBe('$3');
  expect(chosen(['$3'])).toBe('$0');
  expect(chosen(['$3', '$0'])).toBe('$2');
});

test('a set client hook is told from the bare names that show-hooks prints', () => {
  expect(hookRisk('after-bind-key\nclient-attached\nclient-detached\n')).toBeNull();
  expect(hookRisk('client-attached[0] display-message hi\n')).toContain('client-attached hook');
  expect(hookRisk('alert-bell\nclient-detached[3] run-shell x\n')).toContain('client-detached hook');
  expect(hookRisk('client-session-changed if -F 1 {}\n')).toContain('client-session-changed hook');
  expect(hookRisk('client-resized[0] display-message hi\n')).toBeNull();
});

test('servers that half an attach can crash are attached to only when they are quiet', () => {
  const settles = (version: string | null) => mustSettle(traits([[1]], { version }));
  expect(['3.2a', '3.6b', 'next-3.7', null].map(settles)).toEqual([true, true, true, true]);
  expect(['3.7', '3.7c', '3.10', '4.0'].map(settles)).toEqual([false, false, false, false]);
});
