/** A cell whose services answer only what the door's tests ask, and an uplink to it. */
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { FleetServiceClient, FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import {
  type ConnectRequest,
  type ConnectResponse,
  HostAgentServiceClient,
  HostAgentServiceService,
} from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { WhoAmIResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import { noneServed } from './not-served.ts';
import { TestCell, type TestCellOptions, unary } from './test-cell.ts';
import { until } from './until.ts';

export type Identity = NonNullable<Parameters<TestCell['client']>[1]>;

/** A service that answers each message of an uplink, and tells who calls. */
export const serve = async (cell: TestCell): Promise<void> => {
  cell.server.addService(HostAgentServiceService, {
    tunnel: () => Promise.resolve(),
    connect: (_caller, call, { signal }) =>
      new Promise((resolve, reject) => {
        call.on('data', () =>
          call.write({ beat: { sequence: 1n, controllerNowMs: 0, auditSequence: 0n, auditHash: '' } }),
        );
        call.on('end', resolve);
        signal.addEventListener('abort', () => {
          call.write({ dismissed: { reason: 'over', detail: '' } });
          reject(signal.reason);
        });
      }),
  });
  cell.server.addService(FleetServiceService, {
    ...noneServed(Object.keys(FleetServiceService) as (keyof typeof FleetServiceService)[]),
    watchAgents: async (_caller, _request, call) => void call.write({ opened: { cell: 'home', resumed: false } }),
    whoAmI: (caller) => ({
      caller: { name: caller.name, role: caller.role, tenantId: caller.tenantId, kind: caller.kind },
      cell: 'home',
      host: caller.host,
      user: caller.user,
      version: '1',
      verbs: [...caller.ceiling],
      tenants: [],
      elsewhere: [],
    }),
    diagnose: () => {
      throw new Error('secret of the inside');
    },
  });
};

export const openCell = async (options: TestCellOptions = {}): Promise<TestCell> => {
  const cell = await new TestCell(options).start();
  await serve(cell);
  return await cell.open();
};

/** An open uplink that has been answered once. */
export class Uplink {
  readonly #client: HostAgentServiceClient;
  readonly stream: ClientDuplexStream<ConnectRequest, ConnectResponse>;
  readonly dismissed: string[] = [];
  answers = 0;
  ended: ServiceError | null = null;

  constructor(cell: TestCell, identity: Identity | null) {
    this.#client = cell.client(HostAgentServiceClient, identity);
    this.stream = this.#client.connect();
    this.stream.on('error', (error: ServiceError) => {
      this.ended = error;
    });
    this.stream.on('data', ({ dismissed }: ConnectResponse) => {
      if (dismissed) this.dismissed.push(dismissed.reason);
      else this.answers++;
    });
  }

  async answered(): Promise<void> {
    const before = this.answers;
    this.stream.write({ beat: { sequence: 1n, authorities: [] } });
    await until(() => this.answers > before || (this.ended && Promise.reject(this.ended)), { timeoutMs: 30_000 });
  }

  /** With its connection. */
  close(): void {
    this.stream.cancel();
    this.#client.close();
  }

  static async open(cell: TestCell, identity: Identity): Promise<Uplink> {
    const uplink = new Uplink(cell, identity);
    await uplink.answered();
    return uplink;
  }
}

export const whoAmI = (cell: TestCell, identity: Identity | null) => {
  const client = cell.client(FleetServiceClient, identity);
  return unary<WhoAmIResponse>((done) => client.whoAmI({}, done));
};
