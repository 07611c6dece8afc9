import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DiagnoseOptions } from '../../../../host-agent/doctor/diagnose-options.ts';
import { clockSkew } from '../../../../host-agent/doctor/line-checks.ts';
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
