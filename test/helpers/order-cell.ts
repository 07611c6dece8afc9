/** Orders to the agent of a simulated host, and a host that takes them and keeps a journal. */
import type { CallContext } from '../../host-agent/calls/own-calls.ts';
import { allowVerbs } from '../../src/cli/client/admin-methods.ts';
import { FleetError } from '../../src/domain/errors.ts';
import type { FleetServiceClient } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { OrderOutcome, SendTextRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { ExplainAgentResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { HostWish, SimulatedCell } from './simulated-cell.ts';
import { unary } from './test-cell.ts';

export const SOON = { timeoutMs: 30_000 };
export const ADDRESS = 'home/dragon-lin/u/coder0-0';
export const TARGET = { hostAgent: 'dragon-lin/u', key: 'a', paneId: '%1', panePid: 7 };
export const EXPLAINED: ExplainAgentResponse = {
  readiness: 'working',
  reason: '',
  reasonCode: '',
  evidence: [],
  prompt: undefined,
  rules: 'pi 1',
};

export const message = (over: Partial<SendTextRequest> = {}): SendTextRequest => ({
  id: 'order-1',
  target: TARGET,
  sender: { host: 'pretended', session: 'operator' },
  text: 'hello',
  verify: true,
  timeoutMs: 5_000,
  waitIdleMs: 0,
  noLabel: false,
  ...over,
});

export const outcomeOf = (id: string, outcome: string): OrderOutcome => ({
  id,
  address: '',
  verb: 'send',
  outcome,
  reason: '',
  actor: '',
  beganMs: 1,
  endedMs: 2,
  repeated: false,
});

/** A host that takes messages and keeps a journal of them, as far as an outcome goes. */
export class Journal {
  readonly taken: { request: SendTextRequest; context: CallContext }[] = [];
  readonly #outcomes = new Map<string, OrderOutcome>();
  /** An order waits for it after it was journalled. */
  gate: () => Promise<void> = async () => {};

  readonly calls: NonNullable<HostWish['calls']> = {
    sendText: async (request, context) => {
      const before = this.#outcomes.get(request.id);
      if (before !== undefined) return { ...before, repeated: true };
      const outcome = outcomeOf(request.id, 'accepted');
      this.#outcomes.set(request.id, outcome);
      this.taken.push({ request, context });
      await this.gate();
      return outcome;
    },
    getOrder: async ({ id }) => {
      const outcome = this.#outcomes.get(id);
      if (outcome === undefined) throw new FleetError('NOT_FOUND', 'no such order here');
      return outcome;
    },
  };
}

export const send = (client: FleetServiceClient, over: Partial<SendTextRequest> = {}): Promise<OrderOutcome> =>
  unary((done) => client.sendText(message(over), done));
export const order = (client: FleetServiceClient, id: string): Promise<OrderOutcome> =>
  unary((done) => client.getOrder({ id }, done));
export const explain = (client: FleetServiceClient): Promise<ExplainAgentResponse> =>
  unary((done) => client.explainAgent({ hostAgent: 'dragon-lin/u', key: 'a' }, done));

/** What callers of a host may do elsewhere. */
export const allow = (cell: SimulatedCell, host: string, verbs: string[]): Promise<unknown> =>
  cell.controller.ask(allowVerbs, { host, user: '', verbs });
