/** A cell with a host of two agents, coder0-0 and notes, and a peer that calls it; what reached the host is kept. */
import { once } from 'node:events';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { CallContext } from '../../host-agent/calls/own-calls.ts';
import { watchAudit } from '../../src/cli/client/admin-methods.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import type { AuditRecord } from '../../src/wire/gen/fleet/v1/audit.ts';
import type { FleetServiceClient } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { ControlAgentRequest, OrderOutcome, SendTextRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { ExplainAgentResponse, TailTerminalResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import { agentRow } from './agent-row.ts';
import { ForeignCell } from './foreign-cell.ts';
import { EXPLAINED, message as orderMessage, outcomeOf, SOON, TARGET } from './order-cell.ts';
import { SimulatedCell } from './simulated-cell.ts';
import type { SimulatedHost } from './simulated-host.ts';
import { unary } from './test-cell.ts';
import { until } from './until.ts';

export const NO_SUCH_AGENT = 'no such agent: see "fleet ps"';

export const message = (over: Partial<SendTextRequest> = {}): SendTextRequest =>
  orderMessage({ timeoutMs: 20_000, ...over });

export const told = (error: ServiceError): [number, string] => [error.code, error.details];

/** What reached the host: call, request's own words, and who it was told of. */
interface Reached {
  call: string;
  id: string;
  context: CallContext;
}

export class GrantedCell {
  /** Of the cell's clock, before the true time. */
  aheadMs = 0;
  readonly reached: Reached[] = [];
  /** Orders and streams go on until it is opened, or they are given up. */
  readonly gate: PromiseWithResolvers<void> = Promise.withResolvers();
  cell!: SimulatedCell;
  partner!: ForeignCell;
  dragon!: SimulatedHost;

  static async start(): Promise<GrantedCell> {
    const ground = new GrantedCell();
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + ground.aheadMs };
    ground.cell = await SimulatedCell.start({ clock });
    ground.partner = await ForeignCell.joined(ground.cell.controller);
    ground.dragon = await ground.#host();
    return ground;
  }

  async end(): Promise<void> {
    this.gate.resolve();
    this.partner.close();
    await this.cell.end();
  }

  async send(over: Partial<SendTextRequest> = {}, metadata = this.partner.behalf(), from = this.partner) {
    const client = await from.fleet();
    return await unary<OrderOutcome>((done) => client.sendText(message(over), metadata, done));
  }

  async control(over: Partial<ControlAgentRequest>): Promise<OrderOutcome> {
    const client = await this.partner.fleet();
    const plain = { force: false, rosterDigest: '', adopt: false, migrate: false, purge: false };
    const request = { id: 'c-1', target: TARGET, action: 'stop', timeoutMs: 20_000, ...plain, ...over };
    return await unary<OrderOutcome>((done) => client.controlAgent(request, this.partner.behalf(), done));
  }

  explain(client: FleetServiceClient, key = 'a', metadata = this.partner.behalf(), hostAgent = TARGET.hostAgent) {
    return unary<ExplainAgentResponse>((done) => client.explainAgent({ hostAgent, key }, metadata, done));
  }

  async recordsOf(verb: string): Promise<AuditRecord[]> {
    const request = { follow: false, afterSequence: 0n, sinceMs: 0, newest: 0 };
    return await this.cell.controller.admin(async (channel) => {
      const found: AuditRecord[] = [];
      for await (const { records } of channel.stream(watchAudit, request, { deadlineMs: 10_000 }))
        found.push(...records);
      return found.filter((record) => record.verb.endsWith(`/${verb}`));
    });
  }

  /** A tail that has shown something. */
  async tailing(): Promise<{ call: ClientReadableStream<TailTerminalResponse>; ended: Promise<ServiceError> }> {
    const client = await this.partner.fleet();
    const request = { hostAgent: TARGET.hostAgent, key: 'a', lines: 10, follow: true, lastRun: 0 };
    const call = client.tailTerminal(request, this.partner.behalf());
    const ended = new Promise<ServiceError>((resolve) => call.once('error', resolve));
    call.on('end', () => undefined);
    await Promise.race([once(call, 'data'), ended.then((error) => Promise.reject(error))]);
    return { call, ended };
  }

  async #host(): Promise<SimulatedHost> {
    const dragon = await this.cell.host('dragon-lin', {
      calls: {
        explainAgent: async (_request, context) => {
          this.reached.push({ call: 'explainAgent', id: '', context });
          return EXPLAINED;
        },
        tailTerminal: async (_request, sink, context) => {
          this.reached.push({ call: 'tailTerminal', id: '', context });
          sink.write({ lines: ['a line'], fullScreen: false, missed: 0, end: undefined, run: undefined });
          await this.#held(context);
        },
        sendText: this.#order('sendText'),
        controlAgent: this.#order('controlAgent'),
        getOrder: async ({ id }, context) => {
          this.reached.push({ call: 'getOrder', id, context });
          return outcomeOf(id, 'accepted');
        },
      },
    });
    dragon.put(agentRow({ key: 'b', agent: 'notes' }));
    await until(async () => [...(await this.cell.controller.view()).rowsOf(dragon.id)].length === 2, SOON);
    return dragon;
  }

  #order(call: string) {
    return async ({ id }: { id: string }, context: CallContext): Promise<OrderOutcome> => {
      this.reached.push({ call, id, context });
      await this.#held(context);
      return outcomeOf(id, 'accepted');
    };
  }

  #held({ signal }: CallContext): Promise<void> {
    return Promise.race([this.gate.promise, once(signal, 'abort').then(() => Promise.reject(signal.reason))]);
  }
}
