import { beforeEach, expect, test } from 'vitest';
import { Registry } from '../../../controller/registry/registry.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';

const TICK_MS = 500;
const HOSTS = 40;

let clock: MovedClock;
let view: FleetView;
let registry: Registry;

beforeEach(() => {
  clock = new MovedClock();
  view = new FleetView({ clock });
  registry = new Registry({ cell: 'home', view, clock, log: silentLogger() });
});

const hosts = Array.from({ length: HOSTS }, (_, each) => `h${each}`);
const begin = (): void =>
  registry.begin(hosts.map((host) => ({ host, user: 'u', tenantId: 'default', facts: null, heardMs: null, rows: [] })));
const tick = (): void => {
  clock.advance(TICK_MS);
  registry.tick();
};
const linkOf = (host: string): string => {
  const record = view.hostAgent(`${host}/u`);
  return `${record?.linkState} ${record?.linkReason}`;
};
const lost = (): string[] => hosts.filter((host) => linkOf(host).startsWith('lost'));

test('a controller to which hosts come back slowly calls nobody lost meanwhile, and the last one soon after', () => {
  begin();
  const [absent, ...coming] = hosts as [string, ...string[]];
  const back: string[] = [];
  for (const [index, host] of coming.entries()) {
    tick();
    expect(lost()).toEqual([]);
    registry.opened(`${host}/u`, BigInt(index + 1), null);
    back.push(host);
    // Those who are back keep speaking.
    for (const [order, each] of back.entries()) registry.heard(`${each}/u`, BigInt(order + 1), null);
  }
  expect(coming.length * TICK_MS).toBeGreaterThan(15_000);
  for (let sinceMs = 0; sinceMs < 6_000; sinceMs += TICK_MS) {
    expect(linkOf(absent)).toBe('unconfirmed controller_started');
    tick();
  }
  expect(linkOf(absent)).toBe('lost silent');
});

test('the window begins when hosts can come back, and a slow start is no pause', () => {
  begin();
  clock.advance(20_000);
  registry.reachable();
  for (let sinceMs = 0; sinceMs < 15_000; sinceMs += TICK_MS) {
    expect(linkOf('h0')).toBe('unconfirmed controller_started');
    tick();
  }
  expect(linkOf('h0')).toBe('lost silent');
});
