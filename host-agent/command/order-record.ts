/** One order as the journal keeps it, and the lines it is written in. Never a text, a key or anything of a screen. */
import { agentIn } from '../../src/domain/address.ts';
import type { Open } from '../../src/domain/agent-row.ts';
import type { OrderOutcomeName, OrderVerb } from '../../src/domain/order.ts';
import type { OrderEnded } from '../../src/wire/gen/fleet/v1/host_agent.ts';

/** received ─▶ typing (a key may have been typed from here on) ─▶ submitted ─▶ an outcome; the last from any of them. */
export type OrderStage = 'received' | 'typing' | 'submitted';

export interface OrderRecord {
  id: string;
  /** attach: a takeover, which is no order that could be given again. Empty: was lost. */
  verb: OrderVerb | 'attach' | '';
  /** Full, as the host named it then. */
  address: string;
  /** Row, pane and pane pid it was for. */
  key: string;
  paneId: string;
  panePid: number;
  /** Keyed, of the whole request: tells another request under the same id, and tells nothing else. Empty: was lost. */
  digest: string;
  actor: string;
  beganMs: number;
  /** Of a roster order: of the text that is to be there. A version that knew no such order, or less of it, kept none. */
  rosterDigest?: string;
  stage: OrderStage;
  outcome: Open<OrderOutcomeName> | null;
  reason: string;
  endedMs: number;
}

export type OrderStart = Omit<OrderRecord, 'stage' | 'outcome' | 'reason' | 'endedMs'>;

export type JournalLine =
  | { is: 'head'; version: 1; salt: string }
  | ({ is: 'order' } & OrderStart)
  | { is: 'stage'; id: string; stage: OrderStage }
  | { is: 'end'; id: string; outcome: string; reason: string; endedMs: number };

export const newRecord = (start: OrderStart): OrderRecord => ({
  ...start,
  stage: 'received',
  outcome: null,
  reason: '',
  endedMs: 0,
});

const MAX_AGENT_CHARACTERS = 128;

/** As the controller is told of one that it did not give. */
export const endedOrder = ({ id, address, verb, outcome }: OrderRecord): OrderEnded => ({
  id,
  agent: agentIn(address).slice(0, MAX_AGENT_CHARACTERS),
  verb,
  outcome: outcome ?? 'unknown',
});

/** An order of which only later lines are left. */
const halfKnown = (id: string): OrderRecord =>
  newRecord({ id, verb: '', address: '', key: '', paneId: '', panePid: 0, digest: '', actor: '', beganMs: 0 });

export const applyLine = (records: Map<string, OrderRecord>, line: JournalLine): void => {
  if (line.is === 'head') return;
  if (line.is === 'order') {
    const { is: _order, ...start } = line;
    records.set(line.id, newRecord(start));
    return;
  }
  const record = records.get(line.id) ?? halfKnown(line.id);
  records.set(line.id, record);
  if (line.is === 'stage') record.stage = line.stage;
  else Object.assign(record, { outcome: line.outcome, reason: line.reason, endedMs: line.endedMs });
};

export const linesOf = ({ stage, outcome, reason, endedMs, ...start }: OrderRecord): JournalLine[] => {
  const { id } = start;
  const lines: JournalLine[] = [{ is: 'order', ...start }];
  if (stage !== 'received') lines.push({ is: 'stage', id, stage });
  if (outcome !== null) lines.push({ is: 'end', id, outcome, reason, endedMs });
  return lines;
};

export const formatLine = (line: JournalLine): string => `${JSON.stringify(line)}\n`;

/** null for what is no line of ours: the last one may be torn, one that could not be written stays half. */
export const parseLine = (text: string): JournalLine | null => {
  let line: Partial<Record<string, unknown>>;
  try {
    line = JSON.parse(text);
  } catch {
    return null;
  }
  const isText = (...names: string[]): boolean => names.every((name) => typeof line[name] === 'string');
  const isNumber = (...names: string[]): boolean => names.every((name) => typeof line[name] === 'number');
  const isWhole =
    (line?.is === 'head' && line.version === 1 && isText('salt')) ||
    (line?.is === 'order' &&
      isText('id', 'verb', 'address', 'key', 'paneId', 'digest', 'actor') &&
      isNumber('panePid', 'beganMs')) ||
    (line?.is === 'stage' && isText('id', 'stage')) ||
    (line?.is === 'end' && isText('id', 'outcome', 'reason') && isNumber('endedMs'));
  return isWhole ? (line as unknown as JournalLine) : null;
};
