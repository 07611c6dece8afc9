/** Our host-agent under a newer controller: welcomed, spoken to and asked in ways that it does not know. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Handlers } from '../../../controller/grpc/handlers.ts';
import { formatToken } from '../../../src/identity/token.ts';
import { GRPC_CODES } from '../../../src/wire/errors.ts';
import {
  CallBegin,
  type ConnectRequest,
  ControllerBeat,
  Dismissed,
  HostAgentServiceService,
  OnBehalfOf,
  TunnelCall,
  type TunnelReply,
  Welcome,
} from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import { DiagnoseRequest, DiagnoseResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { grown, member, together } from '../../helpers/newer-bytes.ts';
import { SimulatedHost } from '../../helpers/simulated-host.ts';
import { TestCell } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };

/** What a newer controller writes is bytes to us. */
const asItIs = { responseSerialize: (bytes: Buffer): Buffer => bytes };
const NEWER = {
  connect: { ...HostAgentServiceService.connect, ...asItIs },
  tunnel: { ...HostAgentServiceService.tunnel, ...asItIs },
};

type Line<Said> = { write(bytes: Buffer): void; said: Said[]; end(): void };

let cell: TestCell;
let host: SimulatedHost;
const lines: Line<ConnectRequest>[] = [];
const tunnels: Line<TunnelReply>[] = [];

beforeEach(async () => {
  lines.length = 0;
  tunnels.length = 0;
  cell = await new TestCell().start();
  const keep =
    <Said>(kept: Line<Said>[], greet: (line: Line<Said>) => void) =>
    (_: unknown, call: unknown): Promise<void> =>
      new Promise((resolve) => {
        const stream = call as import('@grpc/grpc-js').ServerDuplexStream<Said, Buffer>;
        const line = { write: (bytes: Buffer) => void stream.write(bytes), said: [] as Said[], end: resolve };
        kept.push(line);
        stream.on('data', (message: Said) => line.said.push(message));
        for (const end of ['end', 'cancelled', 'error'] as const) stream.on(end, () => resolve());
        greet(line);
      });
  const handlers = { connect: keep(lines, welcome), tunnel: keep(tunnels, () => {}) };
  cell.server.addService(NEWER as never, handlers as unknown as Handlers<never>);
  await cell.open();
  const token = formatToken(await cell.token({ host: 'dragon-lin', user: 'u' }));
  host = await SimulatedHost.enrol({ folder: cell.folder, token, host: 'dragon-lin' });
  host.start();
  await until(() => host.uplink.standing.state === 'connected', SOON);
});

afterEach(async () => {
  await host.stop();
  await cell.stop();
});

const welcome = (line: Line<ConnectRequest>): void => {
  const known = {
    epoch: 1n,
    cell: 'home',
    host: 'dragon-lin',
    user: 'u',
    tenantId: 'default',
    addresses: [],
    trustBundlePem: '',
    version: '9.0.0',
    capabilities: ['telepathy'],
    resumeInventoryId: '',
    resumeRevision: 0n,
  };
  line.write(together(member(1, grown(Welcome.encode(known).finish()))));
};

const line = (): Line<ConnectRequest> => lines.at(-1) as Line<ConnectRequest>;

test('its welcome, its beats and a message of a new kind are taken for what is known of them', async () => {
  line().write(member(77, grown(Buffer.from([8, 1]))));
  const controllerBeat = { sequence: 1n, controllerNowMs: Date.now(), auditSequence: 0n, auditHash: '' };
  line().write(together(member(2, grown(ControllerBeat.encode(controllerBeat).finish()))));
  await until(() => line().said.some(({ report }) => report?.complete), SOON);
  await until(() => host.uplink.clockSkewMs !== null, SOON);
  const beats = () => line().said.filter(({ beat }) => beat).length;
  const before = beats();
  await until(() => beats() > before, SOON);
  expect([host.uplink.standing.state, lines.length]).toEqual(['connected', 1]);
});

test('a dismissal for a reason of its own is a closed line, and the host-agent dials again', async () => {
  line().write(together(member(4, grown(Dismissed.encode({ reason: 'equinox', detail: 'come back' }).finish()))));
  await until(() => lines.length === 2, SOON);
  await until(() => host.uplink.standing.state === 'connected', SOON);
});

test('a call that it does not know is refused by name, and the tunnel answers the next one', async () => {
  line().write(member(5, grown(Buffer.alloc(0))));
  const tunnel = await until(() => tunnels[0], SOON);
  const caller = grown(
    OnBehalfOf.encode({
      actor: 'local:ann',
      name: 'ann',
      kind: 'local',
      role: 'admin',
      tenantId: 'default',
      federated: false,
    }).finish(),
  );
  const begin = (callId: bigint, method: string, request: Uint8Array): Buffer => {
    const known = CallBegin.encode({
      method,
      request: Buffer.from(request),
      caller: undefined,
      deadlineMs: 0,
    }).finish();
    return together(TunnelCall.encode({ callId }).finish(), member(2, together(known, member(3, caller))));
  };
  tunnel.write(begin(1n, 'ReadItsMind', Buffer.from([8, 1])));
  // An event of a new kind, for a call that runs and for one that never began.
  tunnel.write(together(TunnelCall.encode({ callId: 1n }).finish(), member(77, grown(Buffer.alloc(0)))));
  tunnel.write(together(TunnelCall.encode({ callId: 9n }).finish(), member(77, grown(Buffer.alloc(0)))));
  tunnel.write(begin(2n, 'Diagnose', grown(DiagnoseRequest.encode({ host: '' }).finish())));
  const endOf = (callId: bigint) => tunnel.said.find((reply) => reply.callId === callId && reply.end)?.end;
  await until(() => endOf(1n) && endOf(2n), SOON);
  expect(endOf(1n)).toEqual({
    code: GRPC_CODES.UNIMPLEMENTED,
    details: 'this host answers no ReadItsMind: upgrade it',
  });
  expect(endOf(2n)?.code).toBe(0);
  const answer = tunnel.said.find(({ callId, message }) => callId === 2n && message)?.message as Buffer;
  expect(DiagnoseResponse.decode(answer).findings).toMatchObject([{ check: 'simulated', outcome: 'ok' }]);
  expect([tunnels.length, host.uplink.standing.state]).toEqual([1, 'connected']);
});
