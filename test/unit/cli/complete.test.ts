import { expect, test } from 'vitest';
import { candidatesFor } from '../../../src/cli/commands/complete.ts';
import { FILES } from '../../../src/cli/files-word.ts';

const names = async () => ({
  cells: ['home', 'partner'],
  hosts: ['W-jarvis', 'dragon-lin'],
  hostAgents: ['W-jarvis/jarvis', 'dragon-lin/jwoltje'],
  tenants: ['acme', 'default'],
  agents: ['W-jarvis/jarvis/canary-pi'],
});
const nobody = () => Promise.reject(new Error('asked for names without need'));

test.each([
  ['', '', ['ps', 'hosts', 'host', 'doctor']],
  ['host', '', ['add', 'rm', 'join']],
  ['ps', '-', ['--watch', '--state', '--instance']],
  ['ps --state', '', ['working', 'dead']],
  ['ps -o', '', ['json', 'ndjson']],
  ['completion', '', ['bash', 'zsh', 'fish']],
  ['host allow W-jarvis', '', ['send', 'takeover']],
  ['host allow W-jarvis send', '', ['lifecycle']],
])('fleet %s … offers words of the table without asking anybody', async (before, last, some) => {
  const offered = await candidatesFor(before === '' ? [] : before.split(' '), last, nobody);
  expect(offered).toEqual(expect.arrayContaining(some));
  expect(offered).not.toContain('__complete');
});

test.each(['tenant rm', 'tenant bind', 'ps --tenant', 'token x --tenant', 'host add x@y --tenant'])(
  'fleet %s … offers the tenants of now',
  async (before) => {
    expect(await candidatesFor(before.split(' '), '', names)).toEqual(['acme', 'default']);
  },
);

test.each(['tenant unbind', 'tenant bind acme'])('fleet %s … offers the users on hosts of now', async (before) => {
  expect(await candidatesFor(before.split(' '), '', names)).toEqual(['W-jarvis/jarvis', 'dragon-lin/jwoltje']);
});

test.each(['doctor', 'ps --host', 'host rm', 'host upgrade', 'host allow', 'host allow --none', 'host quarantine'])(
  'fleet %s … offers the hosts of now',
  async (before) => {
    expect(await candidatesFor(before.split(' '), '', names)).toEqual(['W-jarvis', 'dragon-lin']);
  },
);

test('fleet token … offers the verbs beside it and the hosts of now, and after a flag the hosts alone', async () => {
  expect(await candidatesFor(['token'], '', names)).toEqual(['ls', 'rm', 'W-jarvis', 'dragon-lin']);
  expect(await candidatesFor(['token', '--replace'], '', names)).toEqual(['W-jarvis', 'dragon-lin']);
  expect(await candidatesFor(['token', 'rm'], '', names)).toEqual(['W-jarvis', 'dragon-lin']);
});

test.each(['send', 'send --wait-idle', 'send --id x', 'keys', 'answer', 'explain -o json'])(
  'fleet %s … offers the agents of now',
  async (before) => {
    expect(await candidatesFor(before.split(' '), '', names)).toEqual(['W-jarvis/jarvis/canary-pi']);
  },
);

test.each(['peer rm', 'grant add', 'grant ls'])('fleet %s … offers the other cells of now', async (before) => {
  expect(await candidatesFor(before.split(' '), '', names)).toEqual(['partner']);
});

test('fleet send … offers by its own name, once a word is begun, an agent whose name no other has', async () => {
  const agents = ['W-jarvis/jarvis/canary-pi', 'W-jarvis/jarvis/coder', 'partner/spare/ops/coder'];
  const offered = (last: string) => candidatesFor(['send'], last, async () => ({ ...(await names()), agents }));
  expect(await offered('')).toEqual(agents);
  expect(await offered('c')).toEqual([...agents, 'canary-pi']);
  expect(await offered('W-jarvis/')).toEqual(agents);
});

test.each(['apply -f', 'diff --file', 'controller backup', 'controller restore --force', 'host add --identity'])(
  'fleet %s … leaves names of files to the shell',
  async (before) => {
    expect(await candidatesFor(before.split(' '), 'ro', nobody)).toEqual([FILES]);
    expect(await candidatesFor(['add', 'x', '--env-file'], '', nobody)).toEqual([]);
  },
);

test.each(['send a', 'send a b', 'answer a', 'explain a', 'order', 'next'])(
  'fleet %s … offers nothing where anything may stand, or nothing',
  async (before) => {
    expect(await candidatesFor(before.split(' '), '', nobody)).toEqual([]);
  },
);
