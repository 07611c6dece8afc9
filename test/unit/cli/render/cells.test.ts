import { describe, expect, it } from 'vitest';
import { agentIn } from '../../../../src/cli/orders/change-target.ts';
import { takePicture } from '../../../../src/cli/picture.ts';
import { agentsTable } from '../../../../src/cli/render/agents-table.ts';
import { hostsTable } from '../../../../src/cli/render/hosts-table.ts';
import { agentsJson } from '../../../../src/cli/render/json.ts';
import { agentsFooter } from '../../../../src/cli/render/notes.ts';
import { plain } from '../../../../src/cli/render/paint.ts';
import { checkNamedCells } from '../../../../src/cli/view-request.ts';
import { parseAddress } from '../../../../src/domain/address.ts';
import { EVERYTHING } from '../../../../src/domain/agent-filter.ts';
import type { HostAgent } from '../../../../src/domain/host-agent.ts';
import type { PeerStanding } from '../../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { mirrorOf } from '../../../helpers/fleet-mirror.ts';
import { hostAgent } from '../../../helpers/host-agent.ts';

const WIDE = { width: Number.POSITIVE_INFINITY, wide: false, paint: plain };
const own = hostAgent({ here: true });
const namesake: HostAgent = { ...own, id: `partner/${own.id}`, cell: 'partner', here: false };
const connected: PeerStanding = { cell: 'partner', state: 'connected', ageMs: 0 };

const seen = (peers: PeerStanding[], hosts = [namesake, own]) =>
  mirrorOf(
    hosts,
    hosts.map((host) => [host.id, agentRow({ key: 'a', agent: 'coder0' })]),
    { state: 'connected', address: 'a:1', ageMs: 0, peers },
  );
const pictureOf = (peers: PeerStanding[], over: { cells?: string[]; hosts?: HostAgent[] } = {}) =>
  takePicture(seen(peers, over.hosts), 0, {
    filter: { ...EVERYTHING, cells: over.cells ?? [] },
    localOnly: false,
    compare: null,
  });

describe('a view of more than one cell', () => {
  it('names the cell of a peer’s host before it, after all of this cell, and that of this cell nowhere', () => {
    const lines = agentsTable(pictureOf([connected]), WIDE).join('\n');
    const [mine, theirs] = [lines.indexOf(`  ${own.host}  this host`), lines.indexOf(`  partner/${own.host}`)];
    expect(mine).toBeGreaterThan(0);
    expect(theirs).toBeGreaterThan(mine);
    expect(lines).not.toContain('home/');
  });

  it('has a column of cells in the list of hosts, and only then', () => {
    expect(hostsTable(pictureOf([connected]), WIDE)[0]).toMatch(/^ *CELL +HOST/);
    expect(hostsTable(pictureOf([], { hosts: [own] }), WIDE)[0]).not.toContain('CELL');
  });

  it('is whole only while every peer in scope is connected, and the footer names those that are not', () => {
    expect(pictureOf([connected]).complete).toBe(true);
    const lost = { cell: 'partner', state: 'lost', reason: 'silent', ageMs: 134_000 };
    const away = pictureOf([lost], { hosts: [own] });
    expect(away.complete).toBe(false);
    expect(agentsFooter(away)).toContain('cell partner lost 2m14s (silent)');
    expect(pictureOf([lost], { hosts: [own], cells: ['home'] }).complete).toBe(true);
    const cut = pictureOf([{ ...connected, reason: 'row limit' }]);
    expect([cut.complete, agentsFooter(cut).includes('cell partner not whole (row limit)')]).toEqual([false, true]);
  });

  it('misses nothing of a peer that took back what it granted, and says so', () => {
    const revoked = pictureOf([{ cell: 'partner', state: 'revoked', reason: 'by the peer', ageMs: 1_000 }]);
    expect(revoked.complete).toBe(true);
    expect(agentsFooter(revoked)).toContain('cell partner revoked 1s (by the peer)');
  });

  it('is cut to the cells that were asked for, and refuses one that is not there', () => {
    const ids = (cells: string[]) => pictureOf([connected], { cells }).groups.map(({ id }) => id);
    expect(ids(['partner'])).toEqual([namesake.id]);
    expect(ids(['home'])).toEqual([own.id]);
    const filter = { ...EVERYTHING, cells: ['nowhere'] };
    expect(() => checkNamedCells(filter, pictureOf([connected]), ['partner'])).toThrow('known: home, partner');
  });

  it('tells programs of its peers beside the hosts, each host with its cell', () => {
    const told = JSON.parse([...agentsJson(pictureOf([connected]))].join(''));
    expect(told.peers).toEqual([{ cell: 'partner', state: 'connected', reason: null, age_seconds: 0 }]);
    expect(told.hosts.map(({ cell, here }: { cell: string; here: boolean }) => `${cell} ${here}`)).toEqual([
      'home true',
      'partner false',
    ]);
    expect(told.agents.map(({ address }: { address: string }) => address)).toEqual([
      `home/${own.id}/coder0`,
      `partner/${own.id}/coder0`,
    ]);
  });

  it('resolves a name without a cell to this cell alone for changes, whatever peers have and however they stand', () => {
    const mirror = seen([{ cell: 'partner', state: 'lost', ageMs: 0 }]);
    const find = (typed: string, intent: 'look' | 'change') => agentIn(mirror, parseAddress(typed), intent).address;
    expect(find('coder0', 'change')).toBe(`home/${own.id}/coder0`);
    expect(find(`partner/${own.host}/coder0`, 'change')).toBe(`partner/${own.id}/coder0`);
    expect(() => find('coder0', 'look')).toThrow('means 2 agents');
    const theirs = seen([connected], [namesake]);
    expect(() => agentIn(theirs, parseAddress('coder0'), 'change')).toThrow('exists in another cell only');
  });

  it('takes no host of a peer for the machine that answers, though it has its name', () => {
    const mirror = seen([connected]);
    expect(() => agentIn(mirror, parseAddress('partner/coder0'), 'destroy')).toThrow('is on another machine');
    expect(pictureOf([connected]).groups.map(({ isHere }) => isHere)).toEqual([true, false]);
  });
});
