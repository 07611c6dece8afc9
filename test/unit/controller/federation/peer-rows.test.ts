import { beforeEach, describe, expect, it } from 'vitest';
import { federatedId, PeerRows, splitFederatedId } from '../../../../controller/federation/peer-rows.ts';
import type { HostAgent } from '../../../../src/domain/host-agent.ts';
import { FleetView } from '../../../../src/view/fleet-view.ts';
import { encodeAgentRow } from '../../../../src/wire/agent-row.ts';
import type { WatchAgentsResponse } from '../../../../src/wire/gen/fleet/v1/view.ts';
import { hostAgentToWire } from '../../../../src/wire/host-agent.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { hostAgent } from '../../../helpers/host-agent.ts';
import { MovedClock } from '../../../helpers/moved-clock.ts';

const CALLER = { name: 'home', role: 'viewer', tenantId: '', kind: 'controller' };
const opened = (resumed = false, cell = 'partner'): WatchAgentsResponse => ({
  opened: { cell, resumed, caller: CALLER },
});
const bookmark = (withheld?: number): WatchAgentsResponse => ({
  bookmark: { resumeToken: 't', upstream: undefined, ...(withheld === undefined ? {} : { withheld }) },
});
const theirs = (over: Partial<HostAgent> = {}): HostAgent => hostAgent({ cell: 'partner', here: false, ...over });
const rowOf = (id: string, key: string, row = Buffer.from(encodeAgentRow(agentRow({ key })))) => ({
  hostAgent: id,
  key,
  row,
});
const told = (hosts: HostAgent[], agents: ReturnType<typeof rowOf>[] = []): WatchAgentsResponse => ({
  changes: { hostAgents: hosts.map(hostAgentToWire), agents, removedHostAgents: [], removedAgents: [] },
});

describe('rows of a peer', () => {
  const id = theirs().id;
  let view: FleetView;
  let limits: { rows: number };
  let audience: string[];
  let rows: PeerRows;
  beforeEach(() => {
    const clock = new MovedClock();
    view = new FleetView({ clock });
    limits = { rows: 3 };
    audience = ['acme'];
    rows = new PeerRows({ view, clock, cell: 'partner', limits: () => limits, audience: () => audience });
    const { link, heardAgeMs: _, behind: __, ...own } = hostAgent({ here: false });
    view.putHostAgent({
      ...own,
      linkState: link.state,
      linkReason: link.reason,
      linkSinceMono: 0,
      heardAtMono: 0,
      behind: null,
    });
    view.putRow(own.id, 'own', Buffer.from(encodeAgentRow(agentRow({ key: 'own' }))));
  });
  const keys = (): string[] => [...view.rowsOf(federatedId('partner', id)).keys()];
  const apply = (...frames: WatchAgentsResponse[]): void => {
    for (const frame of frames) rows.apply(frame);
  };

  it('stand under ids of three parts, for their audience, beside ours of the same name', () => {
    apply(opened(), told([theirs()], [rowOf(id, 'a')]), bookmark());
    expect(view.hostAgent(`partner/${id}`)).toMatchObject({ cell: 'partner', audience: ['acme'], here: false });
    expect(keys()).toEqual(['a']);
    expect([...view.rowsOf(id).keys()]).toEqual(['own']);
    expect(splitFederatedId(`partner/${id}`)).toEqual({ cell: 'partner', hostAgent: id });
    expect(splitFederatedId(id)).toBeNull();
  });

  it('of any other cell, and under names that nobody can have, are dropped with their hosts', () => {
    const hostile = [
      theirs({ cell: 'third' }),
      theirs({ cell: 'home' }),
      theirs({ id: 'x/y' }),
      theirs({ id: '../etc', host: '..', user: 'etc' }),
      theirs({ id: 'a b/c', host: 'a b', user: 'c' }),
      theirs({ id: 'home/W/jarvis', host: 'home/W', user: 'jarvis' }),
    ];
    apply(
      opened(),
      told(
        hostile,
        hostile.map((each) => rowOf(each.id, 'a')),
      ),
      bookmark(),
    );
    expect([...view.hostAgents()].map((record) => record.id)).toEqual([id]);
    expect(rows.shortfall).toBe('rows refused');
    expect(() => rows.apply(opened(false, 'third'))).toThrow('tells of another cell');
  });

  it('that are none, or come under another key, are dropped alone', () => {
    const foreign = rowOf(id, 'b', Buffer.from(encodeAgentRow(agentRow({ key: 'c' }))));
    const damaged = rowOf(id, 'd', Buffer.from([0xff, 0xff, 0xff]));
    const huge = rowOf(id, 'e', Buffer.alloc(70_000));
    apply(opened(), told([theirs()], [foreign, rowOf(id, 'a'), damaged, huge]), bookmark());
    expect([keys(), rows.shortfall]).toEqual([['a'], 'rows refused']);
    apply(opened(), told([theirs()], [rowOf(id, 'a')]), bookmark());
    expect(rows.shortfall).toBeNull();
  });

  it('are held up to a limit; what was left out is asked for again once there is room', () => {
    const agents = ['a', 'b', 'c', 'd', 'e'].map((key) => rowOf(id, key));
    apply(opened(), told([theirs()], agents), bookmark());
    expect(keys()).toEqual(['a', 'b', 'c']);
    expect([rows.shortfall, rows.hasRoom]).toEqual(['row limit', false]);
    apply({
      changes: { hostAgents: [], agents: [], removedHostAgents: [], removedAgents: [{ hostAgent: id, key: 'a' }] },
    });
    expect(rows.hasRoom).toBe(true);
    apply(opened(), told([theirs()], agents.slice(1, 4)), bookmark());
    expect(keys().sort()).toEqual(['b', 'c', 'd']);
    expect(rows.shortfall).toBeNull();
  });

  it('of more hosts than one peer may have are held for so many, and not asked for over and over', () => {
    const hosts = Array.from({ length: 2_001 }, (_, at) => theirs({ id: `h${at}/u`, host: `h${at}`, user: 'u' }));
    apply(opened(), told(hosts), bookmark());
    expect([rows.ids().length, rows.shortfall, rows.hasRoom]).toEqual([2_000, 'row limit', false]);
  });

  it('that a grant’s own limit leaves out are known to be missing', () => {
    apply(opened(), told([theirs()], [rowOf(id, 'a')]), bookmark(7));
    expect([rows.shortfall, rows.hasRoom]).toEqual(['row limit', false]);
    apply(bookmark());
    expect(rows.shortfall).toBeNull();
  });

  it('leave with a snapshot that names them no more, and ours stay', () => {
    apply(opened(), told([theirs()], [rowOf(id, 'a'), rowOf(id, 'b')]), bookmark());
    apply(opened(), told([theirs()], [rowOf(id, 'b')]));
    expect(keys()).toEqual(['a', 'b']);
    apply(bookmark());
    expect(keys()).toEqual(['b']);
    rows.clear();
    expect([...view.hostAgents()].map((record) => record.id)).toEqual([id]);
    expect([...view.rowsOf(id).keys()]).toEqual(['own']);
  });

  it('keep their age while the peer cannot be heard, and ours are as they were', () => {
    apply(opened(), told([theirs()], [rowOf(id, 'a')]), bookmark());
    rows.unreachable('unconfirmed');
    expect(view.hostAgent(`partner/${id}`)).toMatchObject({
      linkState: 'unconfirmed',
      linkReason: 'controller_unreachable',
    });
    rows.unreachable('lost');
    expect(view.hostAgent(`partner/${id}`)?.linkState).toBe('lost');
    expect(view.hostAgent(id)?.linkState).toBe('connected');
    expect(keys()).toEqual(['a']);
  });

  it('change hands when their audience does', () => {
    apply(opened(), told([theirs()], [rowOf(id, 'a')]), bookmark());
    audience = ['other'];
    rows.audienceChanged();
    expect(view.rowsOf(`partner/${id}`).get('a')?.audience).toEqual(['other']);
  });
});
