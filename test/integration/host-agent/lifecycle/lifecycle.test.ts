import { existsSync } from 'node:fs';
import { Variant } from '@jellybrick/dbus-next';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SessionEnd } from '../../../../host-agent/tmux/session-end.ts';
import { until } from '../../../helpers/until.ts';
import { LifecycleGround, unitOf } from './lifecycle-ground.ts';

const SOON = { timeoutMs: 30_000 };
let ground: LifecycleGround;
beforeEach(async () => {
  ground = new LifecycleGround();
  await ground.start();
  ground.put('coder', 'inactive');
});
afterEach(() => ground[Symbol.asyncDispose]());

describe('start', () => {
  test('starts its unit and is done when its session holds; again it changes nothing', async () => {
    const orders = ground.orders();
    expect(await ground.tell(orders, 'start', 'coder', { id: 'one' })).toMatchObject({
      outcome: 'done',
      verb: 'start',
    });
    const pid = ground.panePid('coder');
    expect(await ground.tell(orders, 'start', 'coder', { id: 'one' })).toMatchObject({
      outcome: 'done',
      repeated: true,
    });
    expect(await ground.tell(orders, 'start', 'coder')).toMatchObject({ outcome: 'done', reason: 'it ran already' });
    expect(ground.jobs()).toEqual(['StartUnit']);
    expect(ground.panePid('coder')).toBe(pid);
  });

  test('a unit that is active with its session gone is stopped first', async () => {
    ground.put('coder', 'active');
    expect(await ground.tell(ground.orders(), 'start', 'coder')).toMatchObject({ outcome: 'done' });
    expect(ground.jobs()).toEqual(['StopUnit', 'StartUnit']);
  });

  test('a session that was started past its unit is not started twice', async () => {
    ground.begin('coder');
    const outcome = await ground.tell(ground.orders(), 'start', 'coder');
    expect(outcome).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('not by its unit (inactive)'),
    });
    expect(ground.jobs()).toEqual([]);
  });

  test.each(['failed', 'timeout', 'dependency', 'canceled'])(
    'a job that ends as %s is told with its unit',
    async (word) => {
      const status = { Result: new Variant('s', 'exit-code'), ExecMainStatus: new Variant('i', 3) };
      ground.manager.job = () => {
        ground.put('coder', 'failed', status);
        return word;
      };
      const { outcome, reason } = await ground.tell(ground.orders(), 'start', 'coder');
      expect(outcome).toBe('failed');
      expect(reason).toBe(`its start ended as ${word}: ${unitOf('coder')} is failed (exit-code, status 3)`);
    },
  );

  test('a program that ends at once is no start', async () => {
    ground.manager.job = () => {
      ground.begin('coder', 'sleep 0.3');
      ground.put('coder', 'active');
      return 'done';
    };
    const { outcome, reason } = await ground.tell(ground.orders(), 'start', 'coder');
    expect(outcome).toBe('failed');
    expect(reason).toMatch(/session.*mosaic-agent@coder.service is active/);
  });

  test('one that waits for a person runs; of its screen only the kind is kept', async () => {
    ground.over.set('coder', { readiness: 'stuck', reason: 'Do you trust swordfish?', reasonCode: 'trust_prompt' });
    const outcome = await ground.tell(ground.orders(), 'start', 'coder');
    expect(outcome).toMatchObject({ outcome: 'done', reason: 'it runs, and waits for a person (trust_prompt)' });
  });

  test('a session that runs and is no good is not called done', async () => {
    ground.over.set('coder', { readiness: 'stale', reason: 'no beat' });
    const outcome = await ground.tell(ground.orders(), 'start', 'coder', { timeoutMs: 6_000 });
    expect(outcome).toMatchObject({ outcome: 'unverifiable', reason: 'its session runs, but it is stale (no beat)' });
  });
});

describe('stop and restart', () => {
  beforeEach(() => {
    ground.begin('coder');
    ground.begin('other');
    ground.put('coder', 'active');
  });

  test('stop ends that session and no other, also where its unit leaves it', async () => {
    ground.manager.job = () => {
      ground.put('coder', 'inactive');
      return 'done';
    };
    const other = ground.panePid('other');
    expect(await ground.tell(ground.orders(), 'stop', 'coder')).toMatchObject({ outcome: 'done', reason: '' });
    expect(ground.sessions().sort()).toEqual(['_holder', 'other']);
    expect(ground.panePid('other')).toBe(other);
  });

  test('a process that outlives its session is told, and never called stopped', async () => {
    const ready = `${ground.folder}/ready`;
    const deaf = `exec sh -c "trap '' HUP; touch ${ready}; while :; do sleep 1; done"`;
    ground.run('respawn-pane', '-k', '-t', '=coder:', deaf);
    await until(() => existsSync(ready), SOON);
    const pid = ground.panePid('coder');
    try {
      const outcome = await ground.tell(ground.orders(), 'stop', 'coder', { timeoutMs: 6_000 });
      expect(outcome.outcome).toBe('failed');
      expect(outcome.reason).toContain(`its process ${pid} lives on`);
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  test('a job that does not end in time leaves it open what became of it', async () => {
    ground.manager.job = () => null;
    const outcome = await ground.tell(ground.orders(), 'stop', 'coder', { timeoutMs: 5_000 });
    expect(outcome).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining('was still stopping it') });
  });

  test('two restarts at once come one after the other, also of two host-agents', async () => {
    const gate = Promise.withResolvers<void>();
    const { job } = ground.manager;
    ground.manager.job = async (verb, unit) => {
      await gate.promise;
      return job(verb, unit);
    };
    const [one, two] = [ground.orders('one.journal'), ground.orders('two.journal')];
    const both = [ground.tell(one, 'restart', 'coder'), ground.tell(two, 'restart', 'coder')];
    await until(() => ground.waiting().length === 2 && ground.jobs().length > 0, SOON);
    expect(ground.jobs()).toEqual(['StopUnit']);
    gate.resolve();
    expect((await Promise.all(both)).map(({ outcome }) => outcome)).toEqual(['done', 'done']);
    expect(ground.jobs()).toEqual(['StopUnit', 'StartUnit', 'StopUnit', 'StartUnit']);
    expect(ground.waiting()).toEqual([]);
  });

  test('whoever does not get its turn is told whose it is; orders of two callers never interleave', async () => {
    const gate = Promise.withResolvers<void>();
    const { job } = ground.manager;
    ground.manager.job = async (verb, unit) => {
      await gate.promise;
      return job(verb, unit);
    };
    const [ann, bob] = [ground.orders('ann.journal'), ground.orders('bob.journal')];
    const first = ground.tell(ann, 'restart', 'coder', { id: 'anns', actor: 'spiffe://home/operator/ann' });
    await until(() => ground.jobs().length === 1, SOON);
    const late = await ground.tell(bob, 'stop', 'coder', { id: 'bobs-1', timeoutMs: 3_000, actor: 'local:bob' });
    expect(late).toMatchObject({
      outcome: 'busy',
      reason: 'restart anns by spiffe://home/operator/ann has its turn',
    });
    const [reset, stop] = ['reset', 'stop'].map((verb) => ground.tell(bob, verb, 'coder', { actor: 'local:bob' }));
    await until(() => ground.waiting().length === 3, SOON);
    expect(ground.jobs()).toEqual(['StopUnit']);
    gate.resolve();
    expect((await first).outcome).toBe('done');
    expect([(await reset)?.outcome, (await stop)?.outcome]).toEqual(['done', 'done']);
    // Each whole, one after the other.
    expect(ground.jobs()).toEqual(['StopUnit', 'StartUnit', 'StopUnit', 'StartUnit', 'StopUnit']);
  });

  test('others that systemd stops along are counted, and only forced', async () => {
    ground.put('coder', 'active', { RequiredBy: new Variant('as', [unitOf('other'), unitOf('asleep')]) });
    ground.put('other', 'active');
    ground.put('asleep', 'inactive');
    const refused = await ground.tell(ground.orders(), 'restart', 'coder');
    expect(refused.outcome).toBe('refused');
    expect(refused.reason).toMatch(
      /^1 other session \(other\) and 1 other unit \(mosaic-agent@other.service\) would end with it: --force/,
    );
    expect(ground.jobs()).toEqual([]);
    const forced = await ground.tell(ground.orders('b.journal'), 'restart', 'coder', { force: true });
    expect(forced).toMatchObject({
      outcome: 'done',
      reason: expect.stringMatching(/^ended along: 1 other session \(other\) and 1/),
    });
  });

  test('a tmux server that runs in its unit takes its other sessions along', async () => {
    const pid = Number(ground.run('display-message', '-p', '#{pid}'));
    ground.manager.set(unitOf('coder'), { processes: [pid] });
    const refused = await ground.tell(ground.orders(), 'stop', 'coder');
    expect(refused).toMatchObject({ outcome: 'refused' });
    expect(refused.reason).toBe('2 other sessions (_holder, other) would end with it: --force does it all the same');
    expect(ground.jobs()).toEqual([]);
    ground.put('coder', 'active', { KillMode: new Variant('s', 'process') });
    expect(await ground.tell(ground.orders('b.journal'), 'stop', 'coder')).toMatchObject({ outcome: 'done' });
  });

  test('whoever has taken it over is not cut off, unless forced', async () => {
    ground.over.set('coder', { writer: 'ann@W-jarvis' });
    const orders = ground.orders();
    expect(await ground.tell(orders, 'stop', 'coder')).toMatchObject({
      outcome: 'busy',
      reason: 'ann@W-jarvis has taken it over',
    });
    expect(await ground.tell(orders, 'stop', 'coder', { force: true })).toMatchObject({ outcome: 'done' });
  });

  test('a host-agent that ends in between: the next one tells how systemd went on', async () => {
    const gate = Promise.withResolvers<void>();
    ground.manager.job = async () => {
      ground.put('coder', 'deactivating');
      await gate.promise;
      ground.run('kill-session', '-t', '=coder');
      ground.put('coder', 'inactive');
      return 'done';
    };
    const first = ground.orders();
    const told = ground.tell(first, 'stop', 'coder', { id: 'cut' });
    await until(() => ground.jobs().length === 1, SOON);
    await first.stopped();
    expect(await told).toMatchObject({ outcome: 'pending' });
    const second = ground.orders();
    const asked = ground.tell(second, 'stop', 'coder', { id: 'cut' });
    gate.resolve();
    expect(await asked).toMatchObject({ outcome: 'done', reason: 'the host-agent ended meanwhile', repeated: true });
    expect(ground.jobs()).toEqual(['StopUnit']);
  });

  test('a restart that ended before its start says that it is stopped', async () => {
    const first = ground.orders();
    ground.manager.job = (verb) => {
      if (verb === 'start') return null;
      ground.run('kill-session', '-t', '=coder');
      ground.put('coder', 'inactive');
      return 'done';
    };
    const told = ground.tell(first, 'restart', 'coder', { id: 'cut' });
    await until(() => ground.jobs().length === 2, SOON);
    await first.stopped();
    expect(await told).toMatchObject({ outcome: 'pending' });
    expect(await ground.tell(ground.orders(), 'restart', 'coder', { id: 'cut' })).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/it is stopped, and was not started again/),
    });
  });
});

describe('nothing is asked of systemd', () => {
  test.each([
    ['an agent in no roster', { managed: false }, /in no roster/],
    ['the holder', { agent: '_holder' }, /holder/],
    ['an agent without a unit', { agent: 'unitless' }, /no unit mosaic-agent@unitless.service/],
  ])('for %s', async (_, over, words) => {
    ground.over.set('coder', over);
    const outcome = await ground.tell(ground.orders(), 'stop', 'coder');
    expect(outcome).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(words) });
    expect(ground.jobs()).toEqual([]);
  });

  test('for a key that is none, an action that is none, and a policy that lets callers only send', async () => {
    const orders = ground.orders();
    expect(await ground.tell(orders, 'stop', 'nobody')).toMatchObject({ outcome: 'gone' });
    await expect(ground.tell(orders, 'explode', 'coder')).rejects.toThrow(/start, stop, restart/);
    ground.control = 'send';
    expect(await ground.tell(orders, 'start', 'coder')).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('policy lets callers only send'),
    });
    expect(ground.jobs()).toEqual([]);
  });
});

test('a session is only killed in the life of the server in which it was seen', async () => {
  ground.begin('coder');
  const sessions = new SessionEnd({ tmuxPath: 'tmux', uid: process.getuid!() });
  const sessionId = ground.run('display-message', '-p', '-t', '=coder:', '#{session_id}');
  const serverPid = Number(ground.run('display-message', '-p', '#{pid}'));
  const place = { socket: ground.tmux.socket('fleet'), serverPid, sessionId };
  const { signal } = new AbortController();
  await sessions.kill({ ...place, serverPid: serverPid + 1 }, signal);
  expect(await sessions.isThere({ ...place, serverPid: serverPid + 1 }, signal)).toBe(false);
  expect(await sessions.isThere(place, signal)).toBe(true);
  await sessions.kill(place, signal);
  expect(await sessions.isThere(place, signal)).toBe(false);
  expect(ground.sessions()).toEqual(['_holder']);
});
