/** The way to one (host, user) while its orders are given: one connection, and every outcome with its exit code. */
import { formatAddress, formatHostAddress } from '../../domain/address.ts';
import { FleetError } from '../../domain/errors.ts';
import { type DesiredVerb, nothingWords, orderExitCode } from '../../domain/order.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ControlAgentRequest, OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import type { GrpcChannel, Method } from '../client/grpc-channel.ts';
import { controlAgent, putRoster } from '../client/order-methods.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { placeOrder } from '../orders/place-order.ts';

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

  control({ agent, verb, ...order }: AgentOrder): Promise<StepTold> {
    const { place, timeoutMs } = this.#options;
    // Rows of a roster have the key of their name, whether its host has read it yet or not.
    const target = { hostAgent: place.id, key: `roster:${agent}`, paneId: '', panePid: 0 };
    const request: ControlAgentRequest = { ...order, target, action: verb, timeoutMs, adopt: false };
    return this.#give({ agent, verb, method: controlAgent, request, timeoutMs });
  }

  put(order: RosterOrder): Promise<StepTold> {
    const request = { ...order, hostAgent: this.#options.place.id, timeoutMs: PUT_MS };
    return this.#give({ agent: null, verb: 'roster', method: putRoster, request, timeoutMs: PUT_MS });
  }

  /** For a step that is not begun any more. */
  skipped(agent: string, verb: DesiredVerb, reason: string): StepTold {
    return this.#told({ agent, verb }, refused('', reason), orderExitCode('refused'));
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
      return this.#told(step, refused(request.id, error.message), exitCodeOf[error.code]);
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

const refused = (id: string, reason: string): OrderOutcome => ({
  id,
  verb: '',
  address: '',
  outcome: 'refused',
  reason,
  actor: '',
  beganMs: 0,
  endedMs: 0,
  repeated: false,
});
