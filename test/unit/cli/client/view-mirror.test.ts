import { expect, test } from 'vitest';
import { ViewMirror } from '../../../../src/cli/client/view-mirror.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { bookmark, changes, mirrorOf, opened } from '../../../helpers/fleet-mirror.ts';
import { hostAgent, hostFacts } from '../../../helpers/host-agent.ts';

const host = hostAgent();
const one = agentRow({ key: 'one', agent: 'one' });
const two = agentRow({ key: 'two', agent: 'two' });
const names = (mirror: ViewMirror): string[] => [...mirror.rowsOf(host.id)].map(({ row }) => row.agent);
const dirty = (mirror: ViewMirror): string[] => [...mirror.takeChanges().rows.values()].map(({ key }) => key);

test('a new snapshot replaces the old one at its bookmark and not before', () => {
  const mirror = mirrorOf(
    [host],
    [
      [host.id, one],
      [host.id, two],
    ],
  );
  mirror.apply(opened(), 10);
  mirror.apply(changes({ hosts: [host], rows: [[host.id, two]] }), 10);
  expect(names(mirror)).toEqual(['one', 'two']);
  mirror.apply(bookmark('later'), 10);
  expect(names(mirror)).toEqual(['two']);
  expect(mirror.resumeToken).toBe('later');
});

test('after a new snapshot only what differs is news', () => {
  const mirror = mirrorOf(
    [host],
    [
      [host.id, one],
      [host.id, two],
    ],
  );
  mirror.takeChanges();
  const renamed = { ...two, agent: 'renamed' };
  for (const frame of [
    opened(),
    changes({
      hosts: [host],
      rows: [
        [host.id, one],
        [host.id, renamed],
      ],
    }),
    bookmark(),
  ]) {
    mirror.apply(frame, 1);
  }
  expect(dirty(mirror)).toEqual(['two']);
  for (const frame of [opened(), changes({ hosts: [host], rows: [[host.id, one]] }), bookmark()])
    mirror.apply(frame, 2);
  expect(dirty(mirror)).toEqual(['two']);
  expect(names(mirror)).toEqual(['one']);
});

test('a resumed stream goes on from what is held', () => {
  const mirror = mirrorOf([host], [[host.id, one]]);
  mirror.apply(opened(true), 1);
  mirror.apply(changes({ rows: [[host.id, two]], removedAgents: [{ hostAgent: host.id, key: 'one' }] }), 1);
  expect(names(mirror)).toEqual(['two']);
});

test('a removed host-agent takes its rows with it', () => {
  const mirror = mirrorOf([host], [[host.id, one]]);
  mirror.takeChanges();
  mirror.apply(changes({ removedHostAgents: [host.id] }), 1);
  expect([...mirror.hostAgentIds()]).toEqual([]);
  expect(dirty(mirror)).toEqual(['one']);
});

test('proof of life moves the ages, not the time in the link’s state', () => {
  const mirror = mirrorOf([hostAgent({ link: { state: 'connected', reason: null, ageMs: 60_000 } })], []);
  const heard = {
    hosts: [{ hostAgent: host.id, heardAgeMs: 100, hostNowMs: hostFacts().hostNowMs + 5_000 }],
    upstream: undefined,
  };
  mirror.apply({ heard }, 5_000);
  const moment = mirror.momentOf(host.id, 5_900);
  expect(moment).toMatchObject({ current: true, observedAgeSeconds: 1, link: { age_seconds: 65 } });
  expect(moment?.referenceMs).toBe(hostFacts().hostNowMs + 6_000);
});

test('when the teller falls silent no row is current, and ages stop', () => {
  const mirror = mirrorOf([host], []);
  expect(mirror.momentOf(host.id, 6_000)).toMatchObject({ current: true, link: { state: 'connected' } });
  const silent = mirror.momentOf(host.id, 60_000);
  expect(silent).toMatchObject({ current: false, link: { state: 'unconfirmed', reason: 'silent', age_seconds: 60 } });
  expect(silent?.referenceMs).toBe(hostFacts().hostNowMs);
});

test('a row that cannot be read is still a row', () => {
  const mirror = mirrorOf([host], []);
  const row = Buffer.from([0xff, 0xff, 0xff]);
  mirror.apply(
    {
      changes: {
        hostAgents: [],
        agents: [{ hostAgent: host.id, key: 'k', row }],
        removedHostAgents: [],
        removedAgents: [],
      },
    },
    0,
  );
  const [held] = mirror.rowsOf(host.id);
  expect(held?.row).toMatchObject({ readiness: 'unknown', reason: 'row of another version' });
});

test('a mirror that is looked at once remembers neither rows nor changes', () => {
  const mirror = new ViewMirror({ follows: false });
  for (const frame of [opened(), changes({ hosts: [host], rows: [[host.id, one]] }), bookmark()])
    mirror.apply(frame, 0);
  const [held] = mirror.rowsOf(host.id);
  expect(held?.row).toMatchObject({ agent: 'one' });
  expect(held?.row).not.toBe(held?.row);
  expect(dirty(mirror)).toEqual([]);
});
