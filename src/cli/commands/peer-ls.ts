import { cleanText } from '../../domain/clean-text.ts';
import type { Peer } from '../../wire/gen/fleet/v1/peers.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { listPeers } from '../client/peer-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { peerObject } from '../peers/peer-object.ts';
import { RunningTable } from '../records/running-table.ts';
import { coarse, fine } from '../render/duration.ts';
import { isoTime } from '../render/iso-time.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import type { Column } from '../render/table.ts';

const DEADLINE_MS = 5_000;

export const run = async ({ flags, paths, stdout, stderr, env, signal }: CommandContext): Promise<number> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  const told = await channel.unary(listPeers, {}, { deadlineMs: DEADLINE_MS, signal });
  const nowMs = Date.now();
  if (flags.output === 'json') {
    const { cell, fingerprints } = told;
    const peers = told.peers.map((peer) => peerObject(peer, nowMs));
    const invitations = told.invitations.map((each) => ({
      cell: each.cell || null,
      tenants: each.tenants,
      expires: isoTime(each.expiresMs),
    }));
    stdout.write(`${jsonText({ schema: 'fleet.peers/v1', cell, fingerprints, peers, invitations })}\n`);
    return EXIT.done;
  }
  const table = new RunningTable(columnsAt(nowMs), painterFor(stdout, env));
  await writeAll(stdout, linesOf(table.lines(told.peers)), signal);
  const waiting = told.invitations.map(
    ({ cell, expiresMs }) => `${cell || 'any cell'} (${spanOf(Math.max(0, expiresMs - nowMs))} left)`,
  );
  const notes = [
    told.peers.length === 0 ? 'no peers: fleet peer invite makes an invitation' : null,
    waiting.length === 0
      ? null
      : `invitations that can be used: ${waiting.join(', ')}; fleet peer rm CELL, or --any, withdraws them`,
    `cell ${told.cell}, known by ${told.fingerprints.join(' ')}`,
  ];
  for (const note of notes) if (note !== null) stderr.write(`${cleanText(note)}\n`);
  return EXIT.done;
};

const MS = 1_000;

const columnsAt = (nowMs: number): readonly Column<Peer>[] => [
  { title: 'CELL', cell: ({ cell }) => cell },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'LINK', cell: linkWords, style: ({ link }) => (link?.state === 'connected' ? 'good' : link ? 'bad' : null) },
  { title: 'HEARD', cell: ({ link }) => spanOf(link?.lastSuccessAgeMs), align: 'right' },
  { title: 'NEXT', cell: ({ link }) => spanOf(link?.nextTryInMs || undefined), align: 'right' },
  { title: 'ROWS', cell: ({ rows, link }) => (link ? String(rows) : null), align: 'right' },
  { title: 'FROM', cell: ({ grantedToUs }) => grantedToUs.join(',') || null },
  { title: 'TO', cell: ({ grantedByUs }) => grantedByUs.join(',') || null },
  { title: 'CERT', cell: ({ link }) => certificate(link?.certificateNotAfterMs, nowMs), align: 'right' },
  { title: 'TENANTS', cell: ({ tenants }) => tenants.join(',') },
  { title: 'ADDRESSES', cell: ({ addresses }) => addresses.join(' ') || null },
  { title: 'FINGERPRINT', cell: ({ fingerprints }) => fingerprints.join(' ') || null },
  { title: 'REASON', cell: reasonWords },
];

const spanOf = (ms: number | undefined): string | null => (ms === undefined ? null : fine(Math.floor(ms / MS)));

/** A breaker that is not closed says more than the line alone. */
const linkWords = ({ link }: Peer): string | null => {
  if (link === undefined) return null;
  const state = link.state === 'lost' ? 'LOST' : link.state;
  const words = `${state} ${fine(Math.floor(link.ageMs / MS))}`;
  return link.breaker === 'closed' ? words : `${words}, breaker ${link.breaker}`;
};

const certificate = (notAfterMs: number | undefined, nowMs: number): string | null => {
  if (notAfterMs === undefined) return null;
  return notAfterMs < nowMs ? 'expired' : coarse(Math.floor((notAfterMs - nowMs) / MS));
};

const reasonWords = ({ state, revokedMs, link }: Peer): string | null => {
  if (state === 'revoked') return `removed here ${isoTime(revokedMs ?? 0) ?? ''}`;
  return link?.reason?.replaceAll('_', ' ') ?? null;
};
