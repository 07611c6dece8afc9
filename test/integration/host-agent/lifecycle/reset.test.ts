import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lookalike, lookalikeLog } from '../../../helpers/lookalike.ts';
import { until } from '../../../helpers/until.ts';
import { LifecycleGround } from './lifecycle-ground.ts';

const SOON = { timeoutMs: 30_000 };
let ground: LifecycleGround;
let log: string;
beforeEach(async () => {
  ground = new LifecycleGround();
  await ground.start();
  log = join(ground.folder, 'agent.log');
});
afterEach(() => ground[Symbol.asyncDispose]());

type Runtime = 'claude' | 'codex' | 'pi';
type How = Parameters<typeof lookalike>[2];

const screen = (): string => ground.run('capture-pane', '-p', '-t', '=coder:');
const submitted = (): unknown[] => lookalikeLog(log).flatMap(({ message }) => message ?? []);

/** The agent `coder`, up by its unit, as that runtime. */
const begin = async (runtime: Runtime, how: How = {}): Promise<number> => {
  ground.begin('coder', `exec ${lookalike(join(ground.folder, 'bin'), runtime, { log, ...how })}`);
  ground.put('coder', 'active');
  await until(() => screen().trim() !== '', SOON);
  return ground.panePid('coder');
};

const say = async (text: string): Promise<void> => {
  ground.run('send-keys', '-t', '=coder:', '-l', text);
  ground.run('send-keys', '-t', '=coder:', 'Enter');
  await until(() => submitted().includes(text), SOON);
};

const reset = (over: Parameters<LifecycleGround['tell']>[3] = {}) =>
  ground.tell(ground.orders(), 'reset', 'coder', over);

test.each([
  ['pi', '/new'],
  ['codex', '/clear'],
  ['claude', '/clear'],
] as const)('%s begins a new conversation by %s, in the same process', async (runtime, command) => {
  const pid = await begin(runtime, { workSeconds: 0.2 });
  await say('count the swordfish');
  await until(() => screen().includes('Done: count'), SOON);
  expect(await reset()).toMatchObject({ outcome: 'done', verb: 'reset', reason: `by ${command}` });
  expect(submitted()).toEqual(['count the swordfish', command]);
  expect(screen()).not.toContain('swordfish');
  expect([ground.panePid('coder'), ground.jobs()]).toEqual([pid, []]);
});

test('the roster’s own command is used; what it leaves on the screen is no proof, and it is restarted', async () => {
  const pid = await begin('claude', { workSeconds: 0.2 });
  await say('count the swordfish');
  await until(() => screen().includes('Done: count'), SOON);
  ground.resetCommands.set('claude', '/forget');
  const outcome = await reset({ timeoutMs: 16_000 });
  expect(outcome.outcome).toBe('done');
  expect(outcome.reason).toMatch(/^reset command not proven \(its screen still shows .*\): restarted$/);
  expect(submitted()).toEqual(['count the swordfish', '/forget']);
  expect(ground.jobs()).toEqual(['StopUnit', 'StartUnit']);
  expect(ground.panePid('coder')).not.toBe(pid);
});

describe('nothing is typed, and it is restarted,', () => {
  const untyped = async (reason: RegExp): Promise<void> => {
    const before = submitted();
    const outcome = await reset();
    expect(outcome).toMatchObject({ outcome: 'done', reason: expect.stringMatching(reason) });
    expect(submitted()).toEqual(before);
    expect(ground.jobs()).toEqual(['StopUnit', 'StartUnit']);
  };

  test('while it is working', async () => {
    await begin('claude', { workSeconds: 600 });
    await say('count the swordfish');
    await until(() => screen().includes('esc to interrupt'), SOON);
    await untyped(/^it is working: restarted$/);
  });

  test('while it waits for a person', async () => {
    await begin('claude', { start: 'approval' });
    await untyped(/^it waits for a person \(approval\): restarted$/);
  });

  test('where no known runtime is in front', async () => {
    ground.begin('coder');
    ground.put('coder', 'active');
    await untyped(/^no known agent: .*: restarted$/);
  });

  test('where its command is one for a shell', async () => {
    await begin('claude');
    ground.resetCommands.set('claude', '! rm -rf scratch');
    await untyped(/^no reset command is known for claude: restarted$/);
  });

  test('where somebody reads in copy mode', async () => {
    await begin('claude');
    ground.run('copy-mode', '-t', '=coder:');
    await untyped(/copy mode.*: restarted$/);
  });
});

test('one that is stopped is started', async () => {
  ground.put('coder', 'inactive');
  expect(await reset()).toMatchObject({ outcome: 'done', reason: 'it did not run: started' });
});

test('a person’s text is left where it stands, unless forced', async () => {
  const pid = await begin('claude');
  ground.run('send-keys', '-t', '=coder:', '-l', 'half a thought');
  await until(() => screen().includes('half a thought'), SOON);
  const kept = await reset();
  expect(kept).toMatchObject({ outcome: 'human-draft', reason: expect.stringMatching(/--force restarts it/) });
  expect([screen().includes('half a thought'), ground.panePid('coder')]).toEqual([true, pid]);
  const forced = await ground.tell(ground.orders('b.journal'), 'reset', 'coder', { force: true });
  expect(forced).toMatchObject({ outcome: 'done', reason: 'a person’s text stands there: restarted' });
});

test('whoever has taken it over is not cut off', async () => {
  const pid = await begin('claude');
  ground.over.set('coder', { writer: 'ann@W-jarvis' });
  expect(await reset()).toMatchObject({ outcome: 'busy', reason: 'ann@W-jarvis has taken it over' });
  expect([submitted(), ground.panePid('coder')]).toEqual([[], pid]);
});

test('a unit that may not be restarted leaves it open what the command did', async () => {
  await begin('claude', { workSeconds: 0.2 });
  await say('count the swordfish');
  ground.manager.units.delete('mosaic-agent@coder.service');
  ground.over.set('coder', {});
  ground.resetCommands.set('claude', '/forget');
  await until(() => screen().includes('Done: count'), SOON);
  const outcome = await reset({ timeoutMs: 12_000 });
  expect(outcome.outcome).toBe('unverifiable');
  expect(outcome.reason).toMatch(/^reset command not proven .*, and no restart: it has no unit/);
});

test('a host-agent that ends in between: the next one says that it is not known what the command did', async () => {
  const pid = await begin('claude', { workSeconds: 0.2 });
  await say('count the swordfish');
  await until(() => screen().includes('Done: count'), SOON);
  ground.resetCommands.set('claude', '/forget');
  const first = ground.orders();
  const told = ground.tell(first, 'reset', 'coder', { id: 'cut' });
  await until(() => submitted().includes('/forget'), SOON);
  await first.stopped();
  expect(await told).toMatchObject({ outcome: 'pending' });
  const second = await ground.tell(ground.orders(), 'reset', 'coder', { id: 'cut' });
  expect(second).toMatchObject({ outcome: 'unknown', repeated: true });
  expect(second.reason).toMatch(/it was not restarted; whether it took its reset command is not known/);
  expect([submitted().length, ground.panePid('coder'), ground.jobs()]).toEqual([2, pid, []]);
});
