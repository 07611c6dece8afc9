import { expect, test } from 'vitest';
import { type ControllerLine, Upstream } from '../../../../host-agent/local/upstream.ts';
import { Listeners } from '../../../../src/runtime/listeners.ts';
import { silentLogger } from '../../../../src/runtime/logger.ts';
import { FleetView } from '../../../../src/view/fleet-view.ts';
import { MovedClock } from '../../../helpers/moved-clock.ts';

const connectedSinceLong = (): { upstream: Upstream; clock: MovedClock } => {
  const clock = new MovedClock();
  const changed = new Listeners();
  const line: ControllerLine = {
    enrolled: true,
    standing: { state: 'connected', address: '192.0.2.1:7443', reason: null, sinceMono: clock.monotonicMs() },
    channel: null,
    onChange: (listener) => changed.add(listener),
  };
  clock.advance(3_600_000);
  return { upstream: new Upstream({ view: new FleetView({ clock }), clock, log: silentLogger(), line }), clock };
};

test('while nobody asks, a line that is up is all that can be said', () => {
  expect(connectedSinceLong().upstream.describe().state).toBe('connected');
});

test('a controller that is connected and does not answer is not taken for one that has nothing to tell', async () => {
  const { upstream, clock } = connectedSinceLong();
  using _reader = await upstream.open(20, new AbortController().signal);
  clock.advance(2_000);
  expect(upstream.describe()).toMatchObject({ state: 'unreachable', reason: 'no answer yet', ageMs: 2_000 });
});
