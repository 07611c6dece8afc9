/**
 * A host that is revoked loses what it has open: its uplink, what it watches and types into elsewhere, and what others watch
 * and type into there. Others keep theirs. That the door does it at once is shown in `controller/door-streams.test.ts`.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allowVerbs, removeHost } from '../../../src/cli/client/admin-methods.ts';
import { changeTarget } from '../../../src/cli/orders/change-target.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { HoldTerminalResponse, OrderTarget } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { callerAt, Watching } from '../../helpers/fleet-caller.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { until } from '../../helpers/until.ts';
import { READER } from '../takeover/stage.ts';

const SOON = { timeoutMs: 60_000 };
const never = new AbortController().signal;
let cell: RunningController;
let hosts: RunningHostAgent[];
let clients: FleetServiceClient[];

const idOf = (host: RunningHostAgent): string => `${host.config.name}/${host.config.user}`;
const by = (socket: string): FleetServiceClient => {
  const client = callerAt(socket);
  clients.push(client);
  return client;
};
const from = (host: RunningHostAgent): FleetServiceClient => by(host.config.paths.hostAgentSocket);
const admin = (): FleetServiceClient => by(cell.config.paths.adminSocket);
const revokes = (host: string) => cell.ask(removeHost, { host, user: '' });

/** A HoldTerminal that was granted. */
class Hold {
  isOver = false;
  failure: ServiceError | null = null;
  readonly said: HoldTerminalResponse[] = [];
  readonly call: ClientReadableStream<HoldTerminalResponse>;

  private constructor(call: ClientReadableStream<HoldTerminalResponse>) {
    this.call = call;
    call.on('data', (message: HoldTerminalResponse) => this.said.push(message));
    call.on('error', (error: ServiceError) => {
      this.failure = error;
      this.isOver = true;
    });
    call.on('end', () => {
      this.isOver = true;
    });
  }

  static async take(client: FleetServiceClient, target: OrderTarget): Promise<Hold> {
    const request = { id: randomUUID(), target, takeover: false, width: 0, height: 0 };
    const hold = new Hold(client.holdTerminal(request));
    await until(() => {
      if (hold.failure) throw hold.failure;
      return hold.said.some(({ granted }) => granted);
    }, SOON);
    return hold;
  }
}

beforeEach(async () => {
  clients = [];
  cell = await RunningController.start();
  hosts = await Promise.all(['W-jarvis', 'dragon-lin', 'spare'].map((name) => RunningHostAgent.start(name)));
  for (const host of hosts) {
    await host.join(await cell.token(host.config.name, host.config.user));
    await until(async () => (await cell.link(idOf(host))) === 'connected null', SOON);
    const reader = join(host.folder, 'reader.py');
    writeFileSync(reader, READER);
    const command = `python3 ${reader} ${join(host.folder, 'bytes')} ''`;
    await host.tmux('new-session', '-d', '-s', 'coder', '-x', '60', '-y', '10', command);
  }
  const allowed = { host: 'W-jarvis', user: '', verbs: ['takeover'] };
  await cell.ask(allowVerbs, allowed);
});
afterEach(async () => {
  for (const client of clients) client.close();
  await Promise.all(hosts.map((host) => host.remove()));
  await cell?.remove();
});

const targetOn = (host: RunningHostAgent): Promise<OrderTarget> =>
  until(async () => {
    const [asked] = hosts as [RunningHostAgent];
    const address = `${host.config.name}/coder`;
    return (await changeTarget(asked.config.paths, address, never, 'destroy').catch(() => null))?.target;
  }, SOON);

const watches = async (client: FleetServiceClient, { hostAgent, key }: OrderTarget): Promise<Watching> =>
  until(async () => {
    const watching = new Watching(client, { hostAgent, key }).read();
    await until(() => watching.isOver || watching.shows !== '', SOON);
    return watching.failure === null && watching;
  }, SOON);

test('what it watches and types into on other hosts ends, and what others have open there goes on', async () => {
  const [jarvis, dragon, spare] = hosts as [RunningHostAgent, RunningHostAgent, RunningHostAgent];
  const target = await targetOn(dragon);
  const ended = [await watches(from(jarvis), target), await Hold.take(from(jarvis), target)];
  const kept = await watches(from(spare), target);
  await revokes('W-jarvis');
  await until(() => ended.every(({ isOver }) => isOver), SOON);
  expect(kept.isOver).toBe(false);
  // The keyboard is free again for somebody else.
  const next = await Hold.take(admin(), target);
  expect(next.isOver).toBe(false);
  next.call.cancel();
  expect(await cell.link(idOf(jarvis))).toBeNull();
  await until(async () => (await jarvis.view()).upstreamAt(0)?.state === 'refused', SOON);
});

test('what others watch and type into on it ends with the reason, and theirs elsewhere goes on', async () => {
  const [jarvis, dragon, spare] = hosts as [RunningHostAgent, RunningHostAgent, RunningHostAgent];
  const target = await targetOn(dragon);
  const watchers = [await watches(from(jarvis), target), await watches(admin(), target)];
  const hold = await Hold.take(admin(), target);
  const kept = await watches(from(jarvis), await targetOn(spare));
  const pid = await dragon.tmux('list-panes', '-a', '-F', '#{pane_pid}');
  await revokes('dragon-lin');
  await until(() => [...watchers, hold].every(({ isOver }) => isOver), SOON);
  for (const { end } of watchers) {
    expect(end).toMatchObject({ reason: 'agent_removed', detail: 'its host was removed from this cell' });
  }
  expect(hold.failure?.details).toBe('no such agent: see "fleet ps"');
  expect(kept.isOver).toBe(false);
  const left = [idOf(jarvis), idOf(spare)].sort().join();
  await until(async () => [...(await jarvis.view()).hostAgentIds()].sort().join() === left, SOON);
  expect(await dragon.tmux('list-panes', '-a', '-F', '#{pane_pid}')).toBe(pid);
});
