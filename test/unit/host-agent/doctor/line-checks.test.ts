import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DiagnoseOptions } from '../../../../host-agent/doctor/diagnose-options.ts';
import { certificate, clockSkew } from '../../../../host-agent/doctor/line-checks.ts';
import { makeAuthority } from '../../../../src/identity/authority.ts';
import { makeKey } from '../../../../src/identity/key.ts';
import { DoctorGround } from '../../../helpers/doctor-ground.ts';

let ground: DoctorGround;
beforeEach(() => {
  ground = new DoctorGround();
});
afterEach(() => ground[Symbol.dispose]());

const identity = { cell: 'home' } as NonNullable<DiagnoseOptions['enrolment']['identity']>;

const clock = (skewMs: number | null, state: string, enrolled = true) => {
  const options = ground.options({
    clockSkewMs: () => skewMs,
    standing: () => ({ state, address: '', reason: null }),
  });
  return clockSkew({ ...options, enrolment: { ...options.enrolment, identity: enrolled ? identity : null } });
};

test('a clock is compared with the controller’s', () => {
  expect(clock(0, 'connected')).toMatchObject({ outcome: 'ok', what: '0 s against the controller’s' });
  expect(clock(-90_000, 'connected')).toMatchObject({ outcome: 'warning', what: '-90 s against the controller’s' });
});

test('one that was heard before says that it was then', () => {
  const what = '0 s against the controller’s, when it was last heard';
  expect(clock(0, 'unreachable')).toEqual({ check: 'clock', outcome: 'unknown', what });
});

test('a controller that is connected and was not compared yet is there', () => {
  expect(clock(null, 'connected').what).toBe('not compared with the controller’s yet');
  expect(clock(null, 'unreachable').what).toBe('not compared with the controller’s yet');
  expect(clock(null, '', false).what).toBe('no controller to compare with');
});

test('a clock that stands before the certificate’s first day is the fault that is named', () => {
  const nowMs = Date.UTC(2026, 5, 1);
  const { authority } = makeAuthority('home', nowMs);
  const key = makeKey();
  const id = { cell: 'home', kind: 'host', host: 'W-jarvis', user: 'jarvis' } as const;
  const certificatePem = authority.issue(id, key, { nowMs, lifetimeMs: 60_000 });
  const held = { ...identity, host: 'W-jarvis', user: 'jarvis', certificatePem };
  const options = ground.options({});
  const at = (wallMs: number) =>
    certificate({
      ...options,
      clock: { ...options.clock, nowMs: () => wallMs },
      enrolment: { ...options.enrolment, identity: held },
    });
  expect(at(nowMs).outcome).toBe('ok');
  expect(at(nowMs - 30 * 3_600_000)).toMatchObject({
    outcome: 'failed',
    what: expect.stringMatching(/begins 2026-05-31T00:00:00.000Z: it is 2026-05-30T18:00:00.000Z by the clock here$/),
    mend: 'set the clock: timedatectl set-ntp true',
  });
});
