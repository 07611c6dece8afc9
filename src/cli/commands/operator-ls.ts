import type { Operator } from '../../wire/gen/fleet/v1/operators.ts';
import { listOperators } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { RunningTable } from '../records/running-table.ts';
import { coarse } from '../render/duration.ts';
import { isoTime } from '../render/iso-time.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import type { Column } from '../render/table.ts';

const DEADLINE_MS = 5_000;

export const run = async ({ flags, paths, stdout, stderr, env, signal }: CommandContext): Promise<number> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  const { operators } = await channel.unary(listOperators, {}, { deadlineMs: DEADLINE_MS, signal });
  if (flags.output === 'json') {
    stdout.write(`${jsonText({ schema: 'fleet.operators/v1', operators: operators.map(operatorObject) })}\n`);
    return EXIT.done;
  }
  const table = new RunningTable(columnsAt(Date.now()), painterFor(stdout, env));
  await writeAll(stdout, linesOf(table.lines(operators)), signal);
  if (operators.length === 0) stderr.write('no operators: fleet operator invite NAME makes one\n');
  return EXIT.done;
};

const SECOND_MS = 1_000;

/** How long ago, or how long still. */
const spanFrom = (nowMs: number, ms: number): string => coarse(Math.floor(Math.abs(ms - nowMs) / SECOND_MS));

const columnsAt = (nowMs: number): readonly Column<Operator>[] => [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'ROLE', cell: ({ role, takeover }) => (takeover && role !== 'admin' ? `${role}, takeover` : role) },
  { title: 'TENANTS', cell: ({ role, tenants }) => (role === 'admin' ? 'all' : tenants.join(' ')) },
  {
    title: 'STATE',
    cell: ({ state, notAfterMs }) => (state === 'invited' ? `invited, ${spanFrom(nowMs, notAfterMs)} left` : state),
  },
  {
    title: 'CERT',
    cell: ({ state, notAfterMs }) => (state === 'invited' || state === 'revoked' ? '-' : endWords(nowMs, notAfterMs)),
  },
  { title: 'SEEN', cell: ({ lastSeenMs }) => (lastSeenMs === undefined ? '-' : `${spanFrom(nowMs, lastSeenMs)} ago`) },
];

const endWords = (nowMs: number, notAfterMs: number): string =>
  notAfterMs > nowMs ? spanFrom(nowMs, notAfterMs) : `ended ${spanFrom(nowMs, notAfterMs)} ago`;

const operatorObject = ({ name, role, tenants, takeover, state, enrolledMs, notAfterMs, lastSeenMs }: Operator) => ({
  name,
  role,
  tenants: role === 'admin' ? null : tenants,
  takeover,
  state,
  enrolled: isoTime(enrolledMs ?? 0),
  ...(state === 'invited'
    ? { certificate_not_after: null, invitation_expires: isoTime(notAfterMs) }
    : { certificate_not_after: isoTime(notAfterMs), invitation_expires: null }),
  last_seen: isoTime(lastSeenMs ?? 0),
});
