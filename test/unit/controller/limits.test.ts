import { describe, expect, it } from 'vitest';
import { FailureLimit } from '../../../controller/enrollment/failure-limit.ts';
import { LogBudget } from '../../../controller/grpc/log-budget.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';

describe('failed enrolments', () => {
  const options = { perNetwork: 2, overall: 4, windowMs: 1_000 };

  it('shut out the address they come from, until the window ends', () => {
    const clock = new MovedClock();
    const limit = new FailureLimit(clock, options);
    limit.failed('192.0.2.1:1000');
    limit.check('192.0.2.1:1001');
    limit.failed('192.0.2.1:1001');
    expect(() => limit.check('192.0.2.1:1002')).toThrow(/too many/);
    limit.check('192.0.2.2:1000');
    clock.advance(1_000);
    limit.check('192.0.2.1:1003');
  });

  it.each([
    ['2001:db8::1:1000', '2001:db8::ffff:9:2000', '2001:db8:0:1::1:3000'],
    ['::ffff:192.0.2.1:1000', '192.0.2.1:1001', '::ffff:192.0.2.2:1000'],
  ])('of %s shut out %s and not %s', (one, same, other) => {
    const limit = new FailureLimit(new MovedClock(), options);
    limit.failed(one);
    limit.failed(same);
    for (const peer of [one, same]) expect(() => limit.check(peer)).toThrow(/too many/);
    limit.check(other);
  });

  it('of many addresses shut out all that failed, at once, and nobody else', () => {
    const limit = new FailureLimit(new MovedClock(), options);
    for (const last of [1, 2, 3]) limit.failed(`192.0.2.${last}:1`);
    limit.check('192.0.2.1:2');
    limit.failed('192.0.2.4:1');
    for (const last of [1, 2, 3, 4]) expect(() => limit.check(`192.0.2.${last}:2`)).toThrow(/too many/);
    limit.check('192.0.2.9:1');
  });

  it('of a user of this machine do not keep a machine elsewhere from joining', () => {
    const limit = new FailureLimit(new MovedClock(), options);
    for (const port of [1, 2, 3, 4]) limit.failed(`127.0.0.1:${port}`);
    expect(() => limit.check('127.0.0.1:9')).toThrow(/too many/);
    limit.check('192.0.2.1:1');
  });

  it('of one host behind a tunnel do not shut out the others behind it', () => {
    const limit = new FailureLimit(new MovedClock(), options);
    for (const port of [1, 2, 3]) limit.failed(`127.0.0.1:${port}`);
    limit.check('127.0.0.1:9');
  });
});

describe('lines that strangers cause', () => {
  it('are kept back above the budget, and their number is said with the next', () => {
    const clock = new MovedClock();
    const budget = new LogBudget(clock, 2, 1_000);
    expect([budget.take(), budget.take(), budget.take(), budget.take()]).toEqual([0, 0, null, null]);
    clock.advance(1_000);
    expect([budget.take(), budget.take()]).toEqual([2, 0]);
  });
});
