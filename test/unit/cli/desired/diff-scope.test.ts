import { describe, expect, test } from 'vitest';
import { diffScope } from '../../../../src/cli/desired/diff-scope.ts';
import type { Picture } from '../../../../src/cli/picture.ts';
import type { HeldPlace } from '../../../../src/domain/desired-plan.ts';
import { parseRoster } from '../../../../src/roster/parse.ts';
import { heldPlace } from '../../../helpers/desired.ts';

const place = (host: string, user: string, over: Partial<HeldPlace> = {}): HeldPlace =>
  heldPlace(host, user, { tenantId: 'mine', ...over });
const PLACES = [
  place('W-jarvis', 'jarvis', { here: true, alsoCalled: ['jarvis.lan'] }),
  place('W-jarvis', 'root2', { tenantId: 'acme' }),
  place('dragon-lin', 'jwoltje'),
  place('dragon-lin', 'other', { tenantId: 'acme' }),
  place('box', 'u1'),
  place('box', 'u2'),
];
const PICTURE = { localOnly: false } as Picture;

const scope = (hosts: string[], isOwn: boolean, ...places: string[]) => {
  const agents = places.map((where, index) => `- {name: a${index}, runtime: pi${where && `, host: ${where}`}}\n`);
  const { roster } = parseRoster(`version: 2\nagents:\n${agents.join('')}`, 'f');
  const { wanted, placeIds, passedOver } = diffScope(roster!.agents, PLACES, { hosts, isOwn }, PICTURE);
  return { wanted: wanted.map(({ name }) => name), placeIds: placeIds && [...placeIds].sort(), passedOver };
};

describe('the roster in force', () => {
  test('is compared with this host-agent alone, under any name of its machine', () => {
    const places = ['', 'W-jarvis', 'jarvis.lan', 'jarvis@W-jarvis', 'root2@W-jarvis', 'dragon-lin'];
    expect(scope([], true, ...places)).toEqual({
      wanted: ['a0', 'a1', 'a2', 'a3'],
      placeIds: ['W-jarvis/jarvis'],
      passedOver: 2,
    });
  });

  test('that names nothing here still has this host-agent in scope', () => {
    expect(scope([], true, 'dragon-lin')).toEqual({ wanted: [], placeIds: ['W-jarvis/jarvis'], passedOver: 1 });
  });
});

test('a file is compared with what it names', () => {
  expect(scope([], false, '', 'dragon-lin')).toEqual({ wanted: ['a0', 'a1'], placeIds: null, passedOver: 0 });
});

describe('a host that was asked for', () => {
  test('is in scope with the tenant’s only user there, named or not', () => {
    expect(scope(['dragon-lin'], false, '')).toEqual({ wanted: [], placeIds: ['dragon-lin/jwoltje'], passedOver: 1 });
    expect(scope(['W-jarvis'], true, 'jarvis.lan', 'box')).toEqual({
      wanted: ['a0'],
      placeIds: ['W-jarvis/jarvis'],
      passedOver: 1,
    });
  });

  test('never puts users in scope whom nobody named', () => {
    expect(scope(['box'], false, 'u1@box').placeIds).toEqual(['box/u1']);
    expect(() => scope(['box'], false, '')).toThrow(
      /^the roster names no agent of box; with an entry of u1@box or u2@box /,
    );
    expect(scope(['box'], false, 'box').placeIds).toEqual([]);
    expect(scope(['dragon-lin'], false, 'other@dragon-lin').placeIds).toEqual([
      'dragon-lin/jwoltje',
      'dragon-lin/other',
    ]);
  });

  test('must be in the view', () => {
    expect(() => scope(['nosuch'], false, '')).toThrow(/no host "nosuch" in this view; known: W-jarvis, /);
  });
});
