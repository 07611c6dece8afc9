/** Events in words, as rows and as objects. Pure; tables and JSON make them safe. */
import { formatAddress } from '../../domain/address.ts';
import type { Event } from '../../wire/gen/fleet/v1/events.ts';
import { coarse } from '../render/duration.ts';
import { isoTime } from '../render/iso-time.ts';
import type { Style } from '../render/paint.ts';
import type { Column } from '../render/table.ts';
import { dash, localTime } from './running-table.ts';

const because = (reason: string): string => (reason === '' ? '' : `: ${reason.replaceAll('_', ' ')}`);

const WORDS: Record<string, (event: Event) => string> = {
  up: ({ reason }) => (reason === '' ? 'is up' : `is up ${reason}`),
  down: ({ reason }) => `is down${because(reason)}`,
  drift: ({ reason }) => `is another runtime${because(reason)}`,
  blocked: ({ reasonCode, promptId }) =>
    `waits for a person${because(reasonCode)}${promptId === '' ? '' : ` (prompt ${promptId})`}`,
  waiting: () => 'is available: waits for work',
  'host-lost': ({ reason }) => `host is lost${because(reason)}`,
  'host-back': () => 'host is back',
  'order-done': ({ verb, outcome, orderId, actor }) => `${verb}: ${outcome} (order ${orderId} by ${actor})`,
  'watch-begin': () => 'is watched',
  'watch-end': () => 'is watched no more',
  'takeover-begin': ({ actor }) => `is taken over by ${actor}`,
  'takeover-end': ({ actor }) => `is given back by ${actor}`,
};

/** Of a kind that this version does not know its name. */
const eventWords = (event: Event): string =>
  (Object.hasOwn(WORDS, event.kind) ? WORDS[event.kind] : undefined)?.(event) ?? event.kind;

const STYLES: Record<string, Style> = { down: 'bad', 'host-lost': 'bad', blocked: 'attention', drift: 'attention' };

const COMMON: readonly Column<Event>[] = [
  { title: 'HOST', cell: ({ host }) => host, min: 12 },
  { title: 'AGENT', cell: ({ agent }) => dash(agent), min: 20 },
  {
    title: 'EVENT',
    cell: eventWords,
    style: ({ kind }) => (Object.hasOwn(STYLES, kind) ? (STYLES[kind] ?? null) : null),
  },
];

/** Ages, as of one moment; of events that are followed the time, which does not go on while they stand there. */
export const eventColumns = (follows: boolean, nowMs: () => number): readonly Column<Event>[] => {
  const age = ({ atMs }: Event): string => coarse(Math.max(0, Math.floor((nowMs() - atMs) / 1_000)));
  const when: Column<Event> = follows
    ? { title: 'TIME', cell: ({ atMs }) => localTime(atMs), min: 19 }
    : { title: 'AGE', cell: age, align: 'right', min: 4 };
  return [when, ...COMMON];
};

const orNull = (text: string): string | null => (text === '' ? null : text);

/** Every field always there, null where it says nothing. A revision of null: the event is kept by nobody. */
export const eventObject = (event: Event): object => ({
  schema: 'fleet.event/v1',
  revision: event.revision === 0n ? null : Number(event.revision),
  at: isoTime(event.atMs),
  kind: event.kind,
  address: event.agent === '' ? null : formatAddress(event),
  cell: event.cell,
  host: event.host,
  user: event.user,
  tenant_id: event.tenantId,
  agent: orNull(event.agent),
  reason: orNull(event.reason),
  reason_code: orNull(event.reasonCode),
  prompt_id: orNull(event.promptId),
  order_id: orNull(event.orderId),
  verb: orNull(event.verb),
  outcome: orNull(event.outcome),
  actor: orNull(event.actor),
});
