/**
 * A host-agent without a host: the shipped report, enrolment and view code over a synthetic inventory, enrolled with
 * a real token and reporting over real mTLS.
 */
import type { OwnCalls } from '../../host-agent/calls/own-calls.ts';
import { uplinkChannel } from '../../host-agent/report/controller-channel.ts';
import { UplinkClient } from '../../host-agent/report/uplink-client.ts';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { type HostFacts, hostAgentId } from '../../src/domain/host-agent.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type Logger, silentLogger } from '../../src/runtime/logger.ts';
import { FleetView } from '../../src/view/fleet-view.ts';
import { encodeAgentRow } from '../../src/wire/agent-row.ts';
import { HOST_CALLS } from '../../src/wire/host-calls.ts';
import { type EnrolWish, enrolledIdentity } from './enrolled-identity.ts';
import { noneServed } from './not-served.ts';

export interface SimulatedHostOptions extends EnrolWish {
  /** What it dials from its first connection on, instead of what its identity says. */
  dials?: readonly string[];
  /** What it says of itself, where that matters. */
  facts?: Partial<HostFacts>;
  /** What it answers about its agents, beside a diagnosis. */
  calls?: Partial<OwnCalls>;
  log?: Logger;
}

export class SimulatedHost {
  readonly view: FleetView;
  readonly id: string;
  readonly uplink: UplinkClient;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;

  private constructor(view: FleetView, id: string, uplink: UplinkClient) {
    this.view = view;
    this.id = id;
    this.uplink = uplink;
  }

  /** Enrols; throws what the controller says. */
  static async enrol(options: SimulatedHostOptions): Promise<SimulatedHost> {
    const clock = options.clock ?? systemClock;
    const machineId = options.machineId ?? `machine-${options.host}`;
    const identity = await enrolledIdentity({ ...options, machineId });
    const view = new FleetView({ clock });
    const id = hostAgentId(identity.host, identity.user);
    const facts = () => ({
      hostNowMs: clock.nowMs(),
      version: '1.0.0',
      build: '',
      control: 'lifecycle',
      warnings: [],
      certificateNotAfterMs: null,
      via: 'dial',
      agents: view.rowsOf(id).size,
      needs: 0,
      machineId,
      capabilities: [],
      ...options.facts,
    });
    view.putHostAgent({
      id,
      cell: identity.cell,
      host: identity.host,
      user: identity.user,
      tenantId: identity.tenantId,
      here: true,
      linkState: 'connected',
      linkReason: null,
      linkSinceMono: clock.monotonicMs(),
      facts: facts(),
      heardAtMono: clock.monotonicMs(),
      clockSkewMs: 0,
      behind: null,
    });
    const heads: { sequence: bigint; hash: string }[] = [];
    const uplink = new UplinkClient({
      view,
      clock,
      log: options.log ?? silentLogger(),
      version: '1.0.0',
      facts,
      calls: {
        ...noneServed(HOST_CALLS),
        diagnose: async () => ({
          findings: [{ check: 'simulated', outcome: 'ok', what: identity.host }],
          unanswered: false,
        }),
        getAuditHeads: async () => ({ heads: heads.map((head) => ({ ...head, heardMs: 0 })) }),
        ...options.calls,
      },
      channels: {
        addresses: () => [...(options.dials ?? identity.addresses)],
        client: (address) => uplinkChannel(address, identity, clock.nowMs),
      },
      welcomed: () => {},
      auditHead: (sequence, hash) => {
        if (sequence !== heads.at(-1)?.sequence) heads.push({ sequence, hash });
      },
    });
    return new SimulatedHost(view, id, uplink);
  }

  put(row: AgentRow): void {
    this.view.putRow(this.id, row.key, encodeAgentRow(row));
  }

  remove(key: string): void {
    this.view.removeRow(this.id, key);
  }

  start(): void {
    this.#running = this.uplink.run(this.#stopping.signal);
  }

  /** A clean stop, with its goodbye. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
