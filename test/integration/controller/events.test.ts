import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Event, WatchEventsResponse } from '../../../src/wire/gen/fleet/v1/events.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { agentRow, tmuxFacts } from '../../helpers/agent-row.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const tmux = (pid: number) => tmuxFacts({ session: 'coder0-0', pid, command: 'claude', title: 'a secret title' });
const up = agentRow({ key: 'a', agent: 'coder0-0', tmux: tmux(1) });
const blocked = agentRow({
  ...up,
  readiness: 'stuck',
  reasonCode: 'approval',
  attention: { id: '3f9a', need: 'approval', sinceMs: 1, rule: 'r', summary: 'a secret prompt' },
});

/** One WatchEvents and what it has told so far. */
class Events {
  readonly got: Event[] = [];
  readonly messages: WatchEventsResponse[] = [];
  readonly #call;
  isOver = false;

  constructor(client: FleetServiceClient, request: Partial<Parameters<FleetServiceClient['watchEvents']>[0]> = {}) {
    this.#call = client.watchEvents({ follow: true, afterRevision: 0n, sinceMs: 0, hosts: [], ...request });
    this.#call.on('data', (message: WatchEventsResponse) => {
      this.messages.push(message);
      this.got.push(...message.events);
    });
    this.#call.on('error', () => {
      this.isOver = true;
    });
    this.#call.on('end', () => {
      this.isOver = true;
    });
  }

  get words(): string[] {
    return this.got.map(({ kind, host, agent }) => [kind, host, agent].filter((part) => part !== '').join(' '));
  }

  get revision(): bigint {
    return this.messages.at(-1)?.revision ?? 0n;
  }

  cancel(): void {
    this.#call.cancel();
  }
}

describe('the events of a cell', () => {
  let cell: SimulatedCell;
  let dragon: SimulatedHost;
  let acme: SimulatedHost;

  beforeAll(async () => {
    cell = await SimulatedCell.start();
    dragon = await cell.host('dragon-lin', {
      calls: {
        sendText: async () => ({
          id: '',
          address: '',
          verb: 'send',
          outcome: 'accepted',
          reason: 'words of a screen',
          actor: '',
          beganMs: 1,
          endedMs: 2,
          repeated: false,
        }),
      },
    });
    acme = await cell.host('W-acme', { tenantId: 'acme' });
  });

  afterAll(() => cell.end());

  it('tell what happens to agents, each tenant its own, and never a text of a screen', async () => {
    const all = new Events(cell.admin());
    const mine = new Events(cell.as(dragon));
    const theirs = new Events(cell.as(acme));
    const one = new Events(cell.admin(), { hosts: ['W-acme/u'] });
    await until(() => [all, mine, theirs, one].every(({ messages }) => messages.length > 0), SOON);
    dragon.put(up);
    await until(() => all.got.length === 1, SOON);
    acme.put(up);
    await until(() => all.got.length === 2, SOON);
    dragon.put(blocked);
    await until(() => all.got.length === 3, SOON);
    expect(all.words).toEqual(['up dragon-lin coder0-0', 'up W-acme coder0-0', 'blocked dragon-lin coder0-0']);
    await until(() => mine.got.length === 2 && theirs.got.length === 1 && one.got.length === 1, SOON);
    expect([mine.words, theirs.words, one.words]).toEqual([
      ['up dragon-lin coder0-0', 'blocked dragon-lin coder0-0'],
      ['up W-acme coder0-0'],
      ['up W-acme coder0-0'],
    ]);
    expect(all.got[2]).toMatchObject({ reasonCode: 'approval', promptId: '3f9a', tenantId: 'default' });
    const { state } = cell.controller.config.paths;
    for (const file of ['controller.db', 'controller.db-wal']) {
      expect(readFileSync(join(state, 'controller', file)).includes('a secret')).toBe(false);
    }
    for (const each of [all, mine, theirs, one]) each.cancel();
  });

  it('tell what became of an order, once', async () => {
    const events = new Events(cell.admin());
    await until(() => events.messages.length > 0, SOON);
    const client = cell.as(dragon);
    const target = { hostAgent: dragon.id, key: 'a', paneId: '%1', panePid: 1 };
    const request = {
      id: 'o1',
      target,
      sender: undefined,
      text: 'x',
      verify: true,
      timeoutMs: 0,
      waitIdleMs: 0,
      noLabel: false,
    };
    for (let again = 0; again < 2; again++) {
      await new Promise((resolve) => client.sendText(request, resolve));
    }
    await until(() => events.got.length > 0, SOON);
    expect(events.got).toMatchObject([
      {
        kind: 'order-done',
        agent: 'coder0-0',
        verb: 'send',
        outcome: 'accepted',
        orderId: 'o1',
        actor: 'spiffe://home/host/dragon-lin/user/u',
        reason: '',
      },
    ]);
    events.cancel();
  });

  it('go on where a reader was, over a restart of the controller; what happened meanwhile is told', async () => {
    const first = new Events(cell.admin());
    await until(() => first.messages.length > 0, SOON);
    dragon.put(agentRow({ ...up, readiness: 'available' }));
    await until(() => first.got.length === 1, SOON);
    const { revision } = first;
    await cell.controller.stop();
    dragon.put(agentRow({ ...up, tmux: tmux(2) }));
    await cell.controller.begin();
    const second = new Events(cell.admin(), { afterRevision: revision });
    await until(() => second.got.length >= 1, SOON);
    expect(second.got.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(['up anew']);
    expect(second.messages.every(({ tooOld }) => !tooOld)).toBe(true);
    expect((second.got[0]?.revision as bigint) > revision).toBe(true);
    second.cancel();
    const late = new Events(cell.admin(), { follow: false, afterRevision: 10n ** 16n });
    await until(() => late.isOver, SOON);
    expect(late.messages[0]?.tooOld).toBe(true);
    const since = new Events(cell.admin(), { follow: false, sinceMs: 3_600_000 });
    await until(() => since.isOver, SOON);
    expect(since.words.filter((words) => words === 'up dragon-lin coder0-0')).toHaveLength(2);
    const justNow = new Events(cell.admin(), { follow: false, sinceMs: 1 });
    await until(() => justNow.isOver, SOON);
    expect(justNow.got).toEqual([]);
  });

  it('say when a host is lost, and nothing of its agents for that', async () => {
    await until(async () => (await cell.controller.link(acme.id)) === 'connected null', SOON);
    const events = new Events(cell.admin());
    await until(() => events.messages.length > 0, SOON);
    await acme.stop();
    await until(() => events.got.length > 0, SOON);
    expect(events.got).toMatchObject([{ kind: 'host-lost', host: 'W-acme', agent: '', reason: 'stopped' }]);
    events.cancel();
  });
});
