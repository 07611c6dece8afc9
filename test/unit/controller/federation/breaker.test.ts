import { describe, expect, it } from 'vitest';
import { Breaker } from '../../../../controller/federation/breaker.ts';
import { MovedClock } from '../../../helpers/moved-clock.ts';

const OPTIONS = { failures: 3, firstMs: 1_000, capMs: 8_000 };

describe('a breaker', () => {
  it('opens after failures in a row, is half open while it tries, and closes with the first success', () => {
    const breaker = new Breaker(new MovedClock(), OPTIONS);
    const states = [breaker.state];
    for (let tries = 0; tries < 3; tries++) {
      breaker.begin();
      breaker.failed();
      states.push(breaker.state);
    }
    breaker.begin();
    states.push(breaker.state);
    breaker.succeeded();
    states.push(breaker.state);
    expect(states).toEqual(['closed', 'closed', 'closed', 'open', 'half-open', 'closed']);
    expect(breaker.waitMs).toBe(0);
  });

  it('waits twice as long after each failure, never less than half of it, and never longer than its cap', () => {
    const clock = new MovedClock();
    const breaker = new Breaker(clock, OPTIONS);
    for (const most of [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]) {
      breaker.failed();
      expect(breaker.waitMs).toBeGreaterThanOrEqual(most / 2);
      expect(breaker.waitMs).toBeLessThanOrEqual(most);
      clock.advance(most);
      expect(breaker.waitMs).toBe(0);
    }
  });

  it('takes a success that fails within a second for none, and one that stood for a new beginning', () => {
    const clock = new MovedClock();
    const breaker = new Breaker(clock, OPTIONS);
    for (let tries = 0; tries < 3; tries++) {
      breaker.succeeded();
      expect([breaker.state, breaker.waitMs, breaker.isProven]).toEqual(['closed', 0, false]);
      clock.advance(999);
      breaker.failed();
    }
    expect([breaker.state, breaker.isProven]).toEqual(['open', false]);
    expect(breaker.waitMs).toBeGreaterThanOrEqual(2_000);
    breaker.succeeded();
    clock.advance(1_000);
    expect(breaker.isProven).toBe(true);
    breaker.failed();
    expect(breaker.state).toBe('closed');
    expect(breaker.waitMs).toBeLessThanOrEqual(1_000);
  });

  it('can be hurried: what was waited for is not needed any more', () => {
    const breaker = new Breaker(new MovedClock(), OPTIONS);
    breaker.failed();
    breaker.hurry();
    expect(breaker.waitMs).toBe(0);
  });
});
