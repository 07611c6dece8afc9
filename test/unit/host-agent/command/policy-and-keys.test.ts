import { expect, test } from 'vitest';
import { levelRefusal } from '../../../../host-agent/command/policy-gate.ts';
import { type HostPolicy, takeoverRefusal } from '../../../../host-agent/policy/host-policy.ts';
import { isAnswering, keyNames } from '../../../../src/domain/key-names.ts';

const policy = (over: Partial<HostPolicy>): HostPolicy => ({
  control: 'lifecycle',
  federated: 'observe',
  takeover: true,
  federatedTakeover: false,
  problem: null,
  ...over,
});
const own = { federated: false };
const foreign = { federated: true };
const HERE = { path: '/p', host: 'W-jarvis' };

test('typing needs the level send, of whichever kind the caller is', () => {
  expect(levelRefusal(policy({ control: 'send' }), HERE, own, 'send')).toBeNull();
  expect(levelRefusal(policy({ control: 'observe' }), HERE, own, 'send')).toContain('"control" in /p');
  expect(levelRefusal(policy({ control: 'deploy' }), HERE, foreign, 'send')).toMatch(/other cells only observe$/);
  expect(levelRefusal(policy({ control: 'observe', federated: 'send' }), HERE, foreign, 'send')).toBeNull();
});

test('starting and stopping needs the level lifecycle', () => {
  expect(levelRefusal(policy({ control: 'lifecycle' }), HERE, own, 'lifecycle')).toBeNull();
  expect(levelRefusal(policy({ control: 'send' }), HERE, own, 'lifecycle')).toContain('only send: "control" in /p');
  expect(levelRefusal(policy({ federated: 'send' }), HERE, foreign, 'lifecycle')).toMatch(/other cells only send$/);
  const broken = policy({ control: 'observe', problem: '/p: no JSON' });
  expect(levelRefusal(broken, HERE, own, 'lifecycle')).toContain('nobody may change anything: /p: no JSON');
});

test('what is in which file is told to nobody of another cell', () => {
  const broken = policy({ control: 'observe', problem: '/p: no JSON' });
  for (const told of [levelRefusal(broken, HERE, foreign, 'send'), takeoverRefusal(broken, foreign, 'W-jarvis')]) {
    expect(told).toMatch(/cannot be read, so that nobody may type$/);
  }
});

test('a refusal names the one command that allows it, and tells no other cell of it', () => {
  const refused = (level: 'send' | 'deploy', caller: { federated: boolean }) =>
    levelRefusal(policy({ control: 'observe' }), HERE, caller, level);
  expect(refused('deploy', own)).toMatch(/with: fleet host control W-jarvis deploy$/);
  expect(refused('send', own)).toMatch(/with: fleet host control W-jarvis send$/);
  expect(refused('deploy', foreign)).not.toContain('host control');
});

test('a policy that cannot be read allows nobody, and says why', () => {
  const broken = policy({ control: 'observe', federated: 'observe', problem: '/p: no JSON' });
  expect(levelRefusal(broken, HERE, own, 'send')).toContain('/p: no JSON');
});

test('keys are called as people call them, and pressed by tmux’s names', () => {
  expect(keyNames(['ESC', 'return', 'ppage', 'c-C', 'Y', '7'])).toEqual(['Escape', 'Enter', 'PageUp', 'C-c', 'y', '7']);
});

test('the refusal of a key names it, harmless and cut short, and the list', () => {
  expect(() => keyNames(['Enter', 'Foo'])).toThrowError(/^key 2, "Foo", may not be pressed.*Keys: Enter Escape/);
  expect(() => keyNames([`\u001b[2J${'x'.repeat(99)}`])).toThrowError(/^key 1, "␛\[2Jx{12}", may not/);
});

test('only what takes a choice answers', () => {
  expect(['Enter', 'Space', 'y', 'n', '0', '9'].every(isAnswering)).toBe(true);
  expect(['Escape', 'Up', 'Tab', 'C-c', 'BSpace'].some(isAnswering)).toBe(false);
});
