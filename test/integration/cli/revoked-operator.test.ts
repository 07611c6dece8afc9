import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { holdTerminal } from '../../../src/cli/attach/attach-methods.ts';
import { listOperators, revokeOperator } from '../../../src/cli/client/admin-methods.ts';
import type { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { aborted } from '../../../src/runtime/aborted.ts';
import { OperatorSeat } from '../../helpers/operator-seat.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { SimulatedScreen } from '../../helpers/simulated-screen.ts';
import { until } from '../../helpers/until.ts';

let cell: SimulatedCell;
const seats: OperatorSeat[] = [];
const screen = new SimulatedScreen();
/** Takeovers that the host holds now. */
const held = new Set<AbortSignal>();

beforeAll(async () => {
  cell = await SimulatedCell.start();
  screen.draw('hello', 'there');
  await cell.host('W-jarvis', {
    calls: {
      watchTerminal: screen.watch,
      holdTerminal: async (_request, _sink, { signal }) => {
        held.add(signal);
        await aborted(signal);
        held.delete(signal);
      },
    },
  });
});
afterAll(() => cell.end());
afterEach(() => {
  for (const seat of seats.splice(0)) seat.remove();
});

const seatOf = async (name: string): Promise<OperatorSeat> => {
  const seat = await OperatorSeat.joined(cell.controller, { name, role: 'operator', takeover: true });
  seats.push(seat);
  return seat;
};
const revoke = (name: string) =>
  cell.controller.admin((channel: GrpcChannel) => channel.unary(revokeOperator, { name }, { deadlineMs: 5_000 }));

const wasSeen = async (name: string): Promise<boolean> => {
  const { operators } = await cell.controller.admin((channel: GrpcChannel) =>
    channel.unary(listOperators, {}, { deadlineMs: 5_000 }),
  );
  return operators.some((operator) => operator.name === name && operator.lastSeenMs !== undefined);
};

const SOON = { timeoutMs: 30_000 };
/** A second is promised, once the revocation was answered; this machine may have much else to do. */
const AT_ONCE = { timeoutMs: 5_000 };

test.each(['ps -w -o ndjson', 'hosts -w -o ndjson', 'events -f -o ndjson', 'watch coder0-0 -o ndjson'])(
  'fleet %s is told that it was revoked, ends with 6 and does not come back',
  async (line) => {
    const name = `leaver-${line.split(' ')[0]}`;
    const seat = await seatOf(name);
    const running = seat.start(['--context', 'home', ...line.split(' ')]);
    await until(() => running.stdout !== '' || wasSeen(name), SOON);
    await revoke(name);
    const { code, stderr } = await running.ended;
    expect(code).toBe(6);
    expect(stderr).toMatch(/revoked/);
    expect(stderr).not.toMatch(/trying again/);
    await until(() => screen.standing.size === 0, SOON);
  },
);

test('a takeover ends at its host within a second, and whoever held it is told why', async () => {
  const seat = await seatOf('taker');
  using channel = seat.channel();
  const target = { hostAgent: 'W-jarvis/u', key: 'a', paneId: '%1', panePid: 1 };
  const request = { id: 'hold-1', target, takeover: false, width: 0, height: 0 };
  const told: unknown[] = [];
  const holding = (async () => {
    for await (const _message of channel.stream(holdTerminal, request));
  })().catch((error: unknown) => told.push(error));
  await until(() => held.size === 1, SOON);
  await revoke('taker');
  await until(() => held.size === 0 && told.length === 1, AT_ONCE);
  await holding;
  expect(told).toMatchObject([{ code: 'UNAUTHENTICATED', message: expect.stringMatching(/^revoked/) }]);
});

test('a line that breaks is no revocation: the view waits and goes on', async () => {
  const seat = await seatOf('stayer');
  const proxy = await cell.proxy();
  await seat.dialsOnly(`127.0.0.1:${proxy.port}`);
  const running = seat.start(['--context', 'home', 'watch', 'coder0-0', '-o', 'ndjson']);
  await until(() => running.stdout.includes('hello'), SOON);
  proxy.cut();
  screen.draw('after', 'the break');
  proxy.mend();
  await until(() => running.stdout.includes('after'), SOON);
  expect(running.stderr).not.toMatch(/revoked/);
  await revoke('stayer');
  const { code, stderr } = await running.ended;
  expect(code).toBe(6);
  expect(stderr).toMatch(/revoked/);
});
