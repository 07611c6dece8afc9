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

  it('can be hurried: what was waited for is not needed any more', () => {
    const breaker = new Breaker(new MovedClock(), OPTIONS);
    breaker.failed();
    breaker.hurry();
    expect(breaker.waitMs).toBe(0);
  });
});
