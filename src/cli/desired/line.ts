/** The way to one (host, user) while its orders are given: one connection, and every outcome with its exit code. */
import { formatAddress, formatHostAddress } from '../../domain/address.ts';
import { FleetError } from '../../domain/errors.ts';
import { type DesiredVerb, nothingWords, orderExitCode } from '../../domain/order.ts';
import { rosterKey, rosterNameOf } from '../../domain/roster.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { IntentState, IntentStep } from '../../wire/gen/fleet/v1/intent.ts';
import type { ControlAgentRequest, OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import type { PutRosterRequest } from '../../wire/gen/fleet/v1/roster.ts';
import type { GrpcChannel, Method } from '../client/grpc-channel.ts';
import { controlAgent, putIntent, putRoster } from '../client/order-methods.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { placeOrder } from '../orders/place-order.ts';
import { refusedOutcome } from '../orders/refused-outcome.ts';

/** The way there and back, and what a host may take beside the order's own time. */
const GRACE_MS = 8_000;
const PUT_MS = 10_000;

export interface StepTold {
  /** null: the roster itself. */
  agent: string | null;
  address: string;
  verb: DesiredVerb | 'roster';
  outcome: OrderOutcome;
  exitCode: number;
}

export interface LineOptions {
  channel: GrpcChannel;
  cell: string;
  place: { id: string; host: string; user: string };
  timeoutMs: number;
  signal: AbortSignal;
  /** The answer was lost, and is asked after; why. */
  onLost(address: string, id: string, why: string): void;
}

export interface AgentOrder {
  id: string;
  verb: DesiredVerb;
  agent: string;
  /** Of the roster on disk. */
  rosterDigest: string;
  force: boolean;
  migrate: boolean;
  purge: boolean;
}

export interface RosterOrder {
  id: string;
  text: string;
  expectedDigest: string;
  force: boolean;
}

/** A failure is an outcome, too. Its calls reject only when the person left. */
export class PlaceLine {
  readonly #options: LineOptions;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  control(order: AgentOrder): Promise<StepTold> {
    const { agent, verb } = order;
    const { timeoutMs } = this.#options;
    return this.#give({ agent, verb, method: controlAgent, request: this.agentRequest(order), timeoutMs });
  }

  put(order: RosterOrder): Promise<StepTold> {
    const request = this.rosterRequest(order);
    return this.#give({ agent: null, verb: 'roster', method: putRoster, request, timeoutMs: PUT_MS });
  }

  agentRequest({ agent, verb, ...order }: AgentOrder): ControlAgentRequest {
    const { place, timeoutMs } = this.#options;
    // Rows of a roster have the key of their name, whether its host has read it yet or not.
    const target = { hostAgent: place.id, key: rosterKey(agent), paneId: '', panePid: 0 };
    return { ...order, target, action: verb, timeoutMs, adopt: false };
  }

  rosterRequest(order: RosterOrder): PutRosterRequest {
    return { ...order, hostAgent: this.#options.place.id, timeoutMs: PUT_MS };
  }

  /** All in their order, for when the host is back: its controller keeps them until then, or until they expire. */
  async leave(id: string, steps: readonly IntentStep[], expiresMs: number): Promise<StepTold[]> {
    const { channel, place, signal } = this.#options;
    const request = { id, hostAgent: place.id, expiresMs, steps: [...steps] };
    try {
      const state = await channel.unary(putIntent, request, { deadlineMs: GRACE_MS, signal });
      return steps.map((step) => this.#waiting(step, state));
    } catch (error) {
      if (signal.aborted || !(error instanceof FleetError)) throw error;
      const { message, code } = error;
      return steps.map((step) =>
        this.#told(stepOf(step), refusedOutcome({ id: idOf(step) }, message), exitCodeOf[code]),
      );
    }
  }

  /** For a step that is not begun any more. */
  skipped(agent: string, verb: DesiredVerb, reason: string): StepTold {
    return this.#told({ agent, verb }, refusedOutcome({}, reason), orderExitCode('refused'));
  }

  #waiting(step: IntentStep, { state, expiresMs }: IntentState): StepTold {
    const until = expiresMs > 0 ? new Date(expiresMs).toISOString() : 'it expires';
    const reason = `${state}: its host is away; given when it is back, until ${until}`;
    return this.#told(
      stepOf(step),
      { ...refusedOutcome({ id: idOf(step) }, reason), outcome: 'pending' },
      EXIT.partial,
    );
  }

  async #give<Q extends { id: string }>(step: {
    agent: string | null;
    verb: DesiredVerb | 'roster';
    method: Method<Q, OrderOutcome>;
    request: Q;
    timeoutMs: number;
  }): Promise<StepTold> {
    const { method, request, timeoutMs, verb } = step;
    const { channel, signal, onLost } = this.#options;
    try {
      const order = { method, request, deadlineMs: timeoutMs + GRACE_MS, nothing: nothingWords(verb) };
      const lost = (why: string): void => onLost(this.#address(step.agent), request.id, why);
      const outcome = await placeOrder(channel, order, { signal, clock: systemClock, onLost: lost });
      return this.#told(step, { ...outcome, id: request.id }, orderExitCode(outcome.outcome));
    } catch (error) {
      if (signal.aborted || !(error instanceof FleetError)) throw error;
      return this.#told(step, refusedOutcome({ id: request.id }, error.message), exitCodeOf[error.code]);
    }
  }

  #told({ agent, verb }: Pick<StepTold, 'agent' | 'verb'>, outcome: OrderOutcome, exitCode: number): StepTold {
    const address = this.#address(agent);
    return { agent, address, verb, outcome: { ...outcome, verb, address }, exitCode };
  }

  #address(agent: string | null): string {
    const { cell, place } = this.#options;
    const { host, user } = place;
    return agent === null ? formatHostAddress({ cell, host, user }) : formatAddress({ cell, host, user, agent });
  }
}

const stepOf = ({ controlAgent }: IntentStep): Pick<StepTold, 'agent' | 'verb'> =>
  controlAgent
    ? { agent: rosterNameOf(controlAgent.target?.key ?? ''), verb: controlAgent.action as DesiredVerb }
    : { agent: null, verb: 'roster' };

const idOf = ({ controlAgent, putRoster: roster }: IntentStep): string => controlAgent?.id ?? roster?.id ?? '';
