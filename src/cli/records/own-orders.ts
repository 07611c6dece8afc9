/** The journal of this host: orders that were given to its agents, by whichever way they came. */
import { askHostAgent } from '../ask.ts';
import { whoAmI } from '../client/methods.ts';
import { listOrders } from '../client/record-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import { AUDIT_SCHEMA, ORDER_COLUMNS, orderRecordObject } from './audit-text.ts';
import type { RecordForm } from './record-flags.ts';
import { RunningTable } from './running-table.ts';

const DEADLINE_MS = 5_000;
/** Of one answer. */
const MAX_LISTED = 1_000;

export const listOwnOrders = async (
  context: CommandContext,
  { sinceMs, count }: { sinceMs: number; count: number | null },
): Promise<number> => {
  const { paths, flags, stdout, env, signal } = context;
  const call = { deadlineMs: DEADLINE_MS, signal };
  const { host, user } = await askHostAgent(paths, whoAmI, {}, call);
  const newest = Math.min(count ?? MAX_LISTED, MAX_LISTED);
  const answer = await askHostAgent(paths, listOrders, { hostAgent: `${host}/${user}`, newest }, call);
  const earliestMs = sinceMs === 0 ? Number.NEGATIVE_INFINITY : Date.now() - sinceMs;
  const orders = answer.orders.filter(({ beganMs }) => beganMs >= earliestMs);
  const form = flags.output as RecordForm;
  const head = { schema: AUDIT_SCHEMA, host_agent: `${host}/${user}` };
  const lines =
    form === 'json'
      ? [jsonText({ ...head, orders: orders.map(orderRecordObject) })]
      : form === 'ndjson'
        ? orders.map((order) => jsonText({ ...head, ...orderRecordObject(order) }))
        : new RunningTable(ORDER_COLUMNS, painterFor(stdout, env)).lines(orders);
  await writeAll(stdout, linesOf(lines), signal);
  return EXIT.done;
};
