import { describe, expect, test } from 'vitest';
import { leftBehind, standingLines, standingObject } from '../../../../src/cli/controller/standing-text.ts';
import type { AuthorityHolder, AuthorityStanding } from '../../../../src/wire/gen/fleet/v1/rotation.ts';

const OLD = 'a'.repeat(64);
const NEW = 'b'.repeat(64);
const holder = (name: string, over: Partial<AuthorityHolder> = {}): AuthorityHolder => ({
  spiffeId: `spiffe://home/host/${name}/user/u`,
  connected: true,
  trusts: false,
  renewed: false,
  silent: false,
  ...over,
});
const standing = (over: Partial<AuthorityStanding>): AuthorityStanding => ({
  phase: 'none',
  signing: OLD,
  other: '',
  signingMadeMs: 0,
  holders: [],
  ...over,
});
const away = { connected: false };

describe('how the authorities stand', () => {
  test('while the new one is being told: who trusts it, who is waited for, who will have to join again', () => {
    const holders = [
      holder('here', { trusts: true }),
      holder('slow'),
      holder('gone', away),
      holder('knows', { ...away, trusts: true }),
      { ...holder('x', away), spiffeId: 'spiffe://home/operator/ada' },
    ];
    expect(standingLines(standing({ phase: 'begun', other: NEW, holders }))).toEqual([
      'begun: authority bbbbbbbbbbbb is trusted, too; aaaaaaaaaaaa still signs',
      '1 of 2 connected hosts trust it',
      'not yet: slow/u',
      'away, and come back by themselves: knows/u',
      'away without it: gone/u; they join again unless they are back before the switch',
      'not told yet: operator ada; they are invited again unless they type a command before the switch',
      'next: fleet controller rotate-ca switch, or abort',
    ]);
  });

  test('with peers: they are waited for as hosts are, and one that is away is named with what becomes of it', () => {
    const cell = (name: string, over: Partial<AuthorityHolder>) => ({
      ...holder('', over),
      spiffeId: `spiffe://${name}`,
    });
    const holders = [
      holder('here', { trusts: true }),
      cell('acme', { trusts: true }),
      cell('slow', {}),
      cell('old', { silent: true }),
      cell('gone', away),
    ];
    const begun = standing({ phase: 'begun', other: NEW, holders });
    expect(standingLines(begun).slice(1, -1)).toEqual([
      '1 of 1 connected hosts trust it',
      '1 of 3 connected cells trust it',
      'not yet: cell slow',
      'of a version that does not say: cell old; fleet peer ls there shows whether bbbbbbbbbbbb of this cell is known',
      'away without it: cell gone; they are invited again unless their line is back before the switch',
    ]);
    expect(leftBehind(begun).map(({ spiffeId }) => spiffeId)).toEqual(['spiffe://gone']);
    expect(standingLines(standing({ holders: [cell('gone', away)] }))[1]).toBe(
      'away without it: cell gone; they are invited again: fleet peer rm CELL, fleet peer invite CELL',
    );
  });

  test('while it signs: who has a certificate of it, and by which command who does not know it comes back', () => {
    const holders = [
      holder('here', { trusts: true, renewed: true }),
      holder('gone', away),
      holder('knows', { ...away, trusts: true }),
    ];
    expect(standingLines(standing({ phase: 'switched', signing: NEW, other: OLD, holders }))).toEqual([
      'switched: authority bbbbbbbbbbbb signs; aaaaaaaaaaaa is still trusted',
      '1 of 1 connected hosts have a certificate of it',
      'away, and come back by themselves: knows/u',
      'away without it: gone/u; they join again: fleet host add USER@MACHINE --replace',
      'next: fleet controller rotate-ca finish',
    ]);
  });

  test('afterwards: in a line, and still who must join again', () => {
    const holders = [holder('here', { trusts: true, renewed: true }), holder('gone', away)];
    expect(standingLines(standing({ signing: NEW, holders }))).toEqual([
      'authority bbbbbbbbbbbb signs; no rotation is under way',
      'away without it: gone/u; they join again: fleet host add USER@MACHINE --replace',
    ]);
    expect(standingObject(standing({ holders: [holder('here')] }))).toMatchObject({
      phase: 'none',
      other: null,
      holders: [{ spiffe_id: 'spiffe://home/host/here/user/u', trusts: false }],
    });
  });
});
