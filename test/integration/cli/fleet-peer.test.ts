import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Peer, PeerInvitation, RemovePeerResponse } from '../../../src/wire/gen/fleet/v1/peers.ts';
import { ServedAdmin } from './served-admin.ts';

const EXPIRES = Date.UTC(2026, 0, 1, 12);
const PARTNER: Peer = {
  cell: 'partner',
  state: 'active',
  addresses: ['10.0.0.7:7443'],
  fingerprints: ['ab12'],
  tenants: ['acme'],
  invitedMs: EXPIRES,
  acceptedMs: EXPIRES,
  rows: 7,
  rowLimit: 10_000,
  grantedToUs: ['send'],
  grantedByUs: ['observe', 'watch'],
  link: {
    state: 'lost',
    reason: 'silent',
    ageMs: 134_000,
    breaker: 'open',
    nextTryInMs: 8_000,
    lastSuccessAgeMs: 140_000,
    address: '10.0.0.7:7443',
  },
};

let served: ServedAdmin;
let removed: Peer[];
/** From the second time on that peers are listed. */
let afterwards: Peer[] | null;
let invitations: PeerInvitation[];
let answerToRemove: RemovePeerResponse;

beforeEach(async () => {
  removed = [];
  afterwards = null;
  invitations = [{ cell: '', expiresMs: Date.now() + 119_000, tenants: [] }];
  answerToRemove = { peer: PARTNER, withdrawn: 0 };
  served = new ServedAdmin();
  await served.start({
    invitePeer: { token: 'fleetpeer1.x', expiresMs: EXPIRES, addresses: ['127.0.0.1:7443'] },
    acceptPeer: { peer: PARTNER },
    listPeers: {
      cell: 'home',
      fingerprints: ['cd34'],
      get peers() {
        const now = removed;
        removed = afterwards ?? now;
        return [PARTNER, ...now];
      },
      get invitations() {
        return invitations;
      },
    },
    setPeerTenants: { peer: { ...PARTNER, tenants: ['acme', 'beta'] } },
    get removePeer() {
      return answerToRemove;
    },
  });
});
afterEach(() => served.dispose());

const peer = (args: string[], input = '') => served.fleet(['peer', ...args], input);

test('the invitation alone is on stdout; what it is good for, and that nobody could dial it, is prose', async () => {
  const { code, stdout, stderr } = await peer(['invite', 'partner', '--tenant', 'acme', '--expires', '5m']);
  expect([code, stdout]).toEqual([0, 'fleetpeer1.x\n']);
  expect(stderr).toContain('for partner, once, until 2026-01-01T12:00:00.000Z; there: fleet peer accept < TOKEN');
  expect(stderr).toContain('listens on loopback only');
  expect(served.asked).toEqual([['invitePeer', { cell: 'partner', tenants: ['acme'], validSeconds: 300 }]]);
});

test('an invitation is accepted from stdin, where nobody else sees it', async () => {
  const { code, stdout } = await peer(['accept', '--tenant', 'acme'], 'fleetpeer1.x\n');
  expect([code, stdout]).toEqual([0, 'partner is a peer, by ab12\n']);
  expect(served.asked).toEqual([['acceptPeer', { token: 'fleetpeer1.x\n', tenants: ['acme'] }]]);
});

test('peers are listed with how each stands, why, and by which fingerprints both are known', async () => {
  const { code, stdout, stderr } = await peer(['ls']);
  expect(code).toBe(0);
  for (const words of ['LOST 2m14s, breaker open', '2m20s', '8s', 'send', 'observe,watch', 'acme', 'ab12', 'silent']) {
    expect(stdout).toContain(words);
  }
  expect(stderr).toMatch(
    /^invitations that can be used: any cell \(1m\d+s left\); fleet peer rm CELL, or --any, withdraws them\ncell home, known by cd34\n$/,
  );
});

test('programs read the same as JSON, with ages in seconds', async () => {
  const told = JSON.parse((await peer(['ls', '-o', 'json'])).stdout);
  expect(told).toMatchObject({
    schema: 'fleet.peers/v1',
    cell: 'home',
    fingerprints: ['cd34'],
    peers: [
      {
        cell: 'partner',
        granted_by_us: ['observe', 'watch'],
        link: { state: 'lost', age_seconds: 134, breaker: 'open', next_try_in_seconds: 8 },
      },
    ],
    invitations: [{ cell: null }],
  });
});

test('a peer is removed only by somebody who means it, and a refusal is told in its words', async () => {
  expect(await peer(['rm', 'partner'])).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') });
  expect(served.asked.map(([call]) => call)).toEqual(['listPeers']);
  expect(await peer(['rm', 'partner', '--yes'])).toMatchObject({
    code: 0,
    stdout: 'partner is no peer any more; what it had open is cut\n',
  });
  served.refusal = { code: status.PERMISSION_DENIED, details: 'needs the role admin' };
  expect(await peer(['rm', 'partner', '--yes'])).toMatchObject({ code: 6, stderr: 'fleet: needs the role admin\n' });
});

test('a peer that is none is said to be none before anybody is asked, and so is one that was removed', async () => {
  removed = [{ ...PARTNER, cell: 'former', state: 'revoked' }];
  for (const cell of ['other', 'former']) {
    for (const args of [[], ['--yes']]) {
      expect(await peer(['rm', cell, ...args])).toMatchObject({
        code: 4,
        stderr: `fleet: no peer "${cell}": see "fleet peer ls"\n`,
      });
    }
  }
  expect(new Set(served.asked.map(([call]) => call))).toEqual(new Set(['listPeers']));
});

test('an invitation is withdrawn by the verb that removes a peer, and what is said is about no peer', async () => {
  removed = [{ ...PARTNER, cell: 'asked', state: 'invited' }];
  invitations = [...invitations, ...invitations, { cell: 'asked', expiresMs: EXPIRES, tenants: [] }];
  answerToRemove = { peer: undefined, withdrawn: 1 };
  expect(await peer(['rm', 'asked'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('withdraw what can be used by asked (1 invitation)?'),
  });
  expect(await peer(['rm', 'asked', '--yes'])).toMatchObject({
    code: 0,
    stdout: '1 invitation for asked withdrawn\n',
  });
  answerToRemove = { peer: undefined, withdrawn: 2 };
  expect(await peer(['rm', '--any', '--yes'])).toMatchObject({
    code: 0,
    stdout: '2 invitations for any cell withdrawn\n',
  });
  expect(served.asked.filter(([call]) => call === 'removePeer')).toEqual([
    ['removePeer', { cell: 'asked', any: false }],
    ['removePeer', { cell: '', any: true }],
  ]);
  const { stdout } = await peer(['rm', '--any', '--yes', '-o', 'json']);
  expect(JSON.parse(stdout)).toEqual({ schema: 'fleet.revoked/v1', cell: null, outcome: 'withdrawn' });
  invitations = [];
  expect((await peer(['rm', '--any', '--yes'])).code).toBe(4);
  for (const args of [['rm'], ['rm', 'asked', '--any']]) {
    expect(await peer(args)).toMatchObject({ code: 2, stderr: expect.stringContaining('either a CELL, or --any') });
  }
});

test('an invitation that was accepted while a person thought about it is not withdrawn, and no peer is removed', async () => {
  removed = [{ ...PARTNER, cell: 'asked', state: 'invited' }];
  afterwards = [{ ...PARTNER, cell: 'asked', state: 'active' }];
  expect(await peer(['rm', 'asked', '--yes'])).toMatchObject({
    code: 8,
    stderr: expect.stringContaining('asked is not invited any more: nothing was changed'),
  });
  expect(served.asked.map(([call]) => call)).toEqual(['listPeers', 'listPeers']);
});

test('whose users see what a peer grants is shown, and changed where tenants are named', async () => {
  expect(await peer(['tenants', 'partner'])).toMatchObject({ code: 0, stdout: 'what partner grants shows to acme\n' });
  expect(served.asked.map(([call]) => call)).toEqual(['listPeers']);
  const changed = { code: 0, stdout: 'what partner grants shows to acme, beta\n' };
  expect(await peer(['tenants', 'partner', 'acme,beta'])).toMatchObject(changed);
  const { stdout } = await peer(['tenants', 'partner', 'acme', 'beta', '-o', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'fleet.peer/v1', peer: { tenants: ['acme', 'beta'] } });
  const request = { cell: 'partner', tenants: ['acme', 'beta'] };
  expect(served.asked.slice(1)).toEqual([
    ['setPeerTenants', request],
    ['setPeerTenants', request],
  ]);
  expect((await peer(['tenants', 'other'])).code).toBe(4);
});
