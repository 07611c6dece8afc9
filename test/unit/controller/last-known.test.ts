import { expect, test } from 'vitest';
import { keepLastKnown, type LastKnownStore, loadLastKnown } from '../../../controller/registry/last-known.ts';
import { Registry } from '../../../controller/registry/registry.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { hostFacts } from '../../helpers/host-agent.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';

const HOUR_MS = 3_600_000;
const who = { host: 'dragon-lin', user: 'jwoltje', tenantId: 'default' };
const id = 'dragon-lin/jwoltje';

class Shelf implements LastKnownStore {
  readonly hosts = new Map<string, Uint8Array>();
  readonly rows = new Map<string, { hostAgent: string; key: string; bytes: Uint8Array }>();
  putHostAgent(hostAgent: string, bytes: Uint8Array): void {
    this.hosts.set(hostAgent, bytes);
  }
  putRow(hostAgent: string, key: string, bytes: Uint8Array): void {
    this.rows.set(key, { hostAgent, key, bytes });
  }
  removeRow(_hostAgent: string, key: string): void {
    this.rows.delete(key);
  }
  async *load() {
    for (const [hostAgent, bytes] of this.hosts) yield { hostAgent, bytes };
    yield* this.rows.values();
  }
}

const controllerAt = (clock: MovedClock) => {
  const view = new FleetView({ clock });
  const registry = new Registry({ cell: 'home', view, clock, log: silentLogger() });
  return { view, registry };
};

test('after a restart a host is as old as its last word, and its rows stand at the time of that word', async () => {
  const clock = new MovedClock();
  const shelf = new Shelf();
  const first = controllerAt(clock);
  first.registry.begin([]);
  first.registry.enrolled(who);
  first.registry.opened(id, 1n, hostFacts({ hostNowMs: clock.nowMs() }));
  const stopping = new AbortController();
  const keeping = keepLastKnown(first.view, shelf, clock, stopping.signal);
  first.view.putRow(id, 'a', encodeAgentRow(agentRow({ key: 'a' })));
  clock.advance(5 * HOUR_MS);
  const lastWordMs = clock.nowMs();
  first.registry.heard(id, 1n, hostFacts({ hostNowMs: lastWordMs }));
  stopping.abort();
  await keeping;

  const later = new MovedClock(lastWordMs + HOUR_MS);
  const second = controllerAt(later);
  second.registry.begin(await loadLastKnown(shelf));
  const record = second.view.hostAgent(id);
  expect(record && second.view.say(record)).toMatchObject({
    heardAgeMs: HOUR_MS,
    facts: { hostNowMs: lastWordMs },
    link: { state: 'unconfirmed', reason: 'controller_started', ageMs: 0 },
  });
  for (let tick = 0; tick < 31; tick++) {
    later.advance(500);
    second.registry.tick();
  }
  expect(record && second.view.say(second.view.hostAgent(id) ?? record).link).toEqual({
    state: 'lost',
    reason: 'silent',
    ageMs: HOUR_MS + 15_500,
  });
});
