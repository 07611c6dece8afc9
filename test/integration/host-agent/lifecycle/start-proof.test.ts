import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Variant } from '@jellybrick/dbus-next';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EndedRun } from '../../../../host-agent/lifecycle/ports.ts';
import { until } from '../../../helpers/until.ts';
import { LifecycleGround, unitOf } from './lifecycle-ground.ts';

const SOON = { timeoutMs: 30_000 };
let ground: LifecycleGround;
beforeEach(async () => {
  ground = new LifecycleGround();
  await ground.start();
  put('inactive');
});
afterEach(() => ground[Symbol.asyncDispose]());

/** A tmux server of its own as the unit's main process. */
const put = (activeState: string, more: { result?: string; mainPid?: number; sub?: string } = {}): void => {
  const { result = 'success', mainPid = 0, sub = 'running' } = more;
  const facts = { Type: new Variant('s', 'exec'), Result: new Variant('s', result) };
  ground.manager.set(unitOf('coder'), { activeState, mainPid, subState: sub, more: facts });
};

const ran = (over: Partial<EndedRun> = {}): EndedRun => ({
  startedMs: Date.now(),
  status: 0,
  signal: null,
  cause: 'ended',
  ...over,
});

/** The unit is started, its session is seen, ends, and then `after` is so. null: it was never seen. */
const endsAtOnce = (
  after: () => void,
  end: (() => void) | null = () => ground.run('kill-session', '-t', '=coder'),
): void => {
  ground.manager.job = () => {
    put('active', { mainPid: ground.serverPid() });
    if (end === null) after();
    else {
      ground.begin('coder');
      const pid = ground.panePid('coder');
      void until(() => ground.shown.has(pid), SOON).then(() => {
        end();
        after();
      });
    }
    return 'done';
  };
};

const start = () => ground.tell(ground.orders(), 'start', 'coder');

describe('an ephemeral worker', () => {
  beforeEach(() => {
    ground.over.set('coder', { lifecycle: 'ephemeral' });
  });

  test.each([
    ['was seen', undefined],
    ['came and went unseen', null],
  ])('that ran to its end with 0 is a success, where its session %s', async (_, end) => {
    endsAtOnce(() => {
      ground.runs.set('coder', ran());
      put('inactive');
    }, end);
    expect(await start()).toMatchObject({ outcome: 'done', reason: 'it ran to its end, exited 0' });
  });

  test('that ended with another status is none', async () => {
    endsAtOnce(() => {
      ground.runs.set('coder', ran({ status: 3 }));
      put('failed', { result: 'exit-code' });
    });
    const { outcome, reason } = await start();
    expect(outcome).toBe('failed');
    expect(reason).toMatch(/its program exited with status 3; mosaic-agent@coder.service is failed \(exit-code\)$/);
  });

  test('of whose end nobody kept the status is not called a success', async () => {
    ground.runs.set('coder', ran({ startedMs: Date.now() - 60_000 }));
    endsAtOnce(() => put('inactive'));
    expect(await start()).toMatchObject({
      outcome: 'unverifiable',
      reason: 'it ran to its end; with which status, nobody kept',
    });
  });

  test('whose pane was kept tells its status itself', async () => {
    ground.run('set-option', '-gw', 'remain-on-exit', 'on');
    const over = join(ground.folder, 'over');
    ground.manager.job = () => {
      put('active', { mainPid: ground.serverPid() });
      ground.begin('coder', `until test -e ${over}; do sleep 0.05; done`);
      const pid = ground.panePid('coder');
      void until(() => ground.shown.has(pid), SOON).then(() => writeFileSync(over, ''));
      return 'done';
    };
    expect(await start()).toMatchObject({ outcome: 'done', reason: 'it ran to its end, exited 0' });
  });
});

describe('a core agent', () => {
  test('that dies at once is failed with how it died, also when systemd starts it again', async () => {
    endsAtOnce(() => {
      ground.runs.set('coder', ran({ status: null, signal: 'SIGSEGV' }));
      put('activating', { result: 'exit-code', sub: 'auto-restart' });
    });
    const { outcome, reason } = await start();
    expect(outcome).toBe('failed');
    expect(reason).toBe(
      `its session ended at once; its program was killed by SIGSEGV; ${unitOf('coder')} is activating (exit-code)`,
    );
  });

  test('that comes back at once as another process did not hold', async () => {
    endsAtOnce(
      () => undefined,
      () => ground.run('respawn-pane', '-k', '-t', '=coder:'),
    );
    expect(await start()).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/^its session ended at once/),
    });
  });

  test('that ran to its end with 0 did not stay', async () => {
    endsAtOnce(() => {
      ground.runs.set('coder', ran());
      put('inactive');
    });
    const { outcome, reason } = await start();
    expect([outcome, reason]).toEqual(['failed', expect.stringMatching(/its program exited 0; .* is inactive/)]);
  });

  test('whose preflight refused is failed in its words', async () => {
    ground.hindrances.set('coder', 'pi is not on the PATH that it would have');
    ground.manager.job = () => {
      put('failed', { result: 'exit-code' });
      return 'failed';
    };
    const { outcome, reason } = await start();
    expect(outcome).toBe('failed');
    expect(reason).toMatch(/^its start ended as failed; its preflight: pi is not on the PATH .*: mosaic-agent@coder/);
  });

  test('that systemd gave up on is started all the same', async () => {
    put('failed', { result: 'start-limit-hit' });
    ground.manager.job = () => {
      ground.begin('coder');
      put('active', { mainPid: ground.serverPid() });
      return 'done';
    };
    expect((await start()).outcome).toBe('done');
    const calls = ground.manager.calls.filter((call) => /^(ResetFailed|Start)Unit/.test(call));
    expect(calls.map((call) => call.split(' ')[0])).toEqual(['ResetFailedUnit', 'StartUnit']);
  });
});
