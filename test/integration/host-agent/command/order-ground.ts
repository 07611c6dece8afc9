/** Real orders into real panes of a private tmux server, where a scripted agent writes down what really happened. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallContext } from '../../../../host-agent/calls/own-calls.ts';
import { isLineMode } from '../../../../host-agent/command/line-mode.ts';
import type { VerbPorts } from '../../../../host-agent/command/order-run.ts';
import { Orders, type OrdersOptions } from '../../../../host-agent/command/orders.ts';
import { PaneLocks } from '../../../../host-agent/command/pane-lock.ts';
import type { HostPolicy } from '../../../../host-agent/policy/host-policy.ts';
import { ProcTable } from '../../../../host-agent/process/proc-table.ts';
import { RuleShelf } from '../../../../host-agent/prompts/rule-shelf.ts';
import { ScreenPrompts } from '../../../../host-agent/prompts/screen-prompts.ts';
import { PaneScreens } from '../../../../host-agent/terminal/pane-screens.ts';
import type { PaneRef } from '../../../../host-agent/terminal/ports.ts';
import { Questions } from '../../../../host-agent/tmux/questions.ts';
import { PaneTyping } from '../../../../host-agent/tmux/typing.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { silentLogger } from '../../../../src/runtime/logger.ts';
import type {
  AnswerPromptRequest,
  OrderOutcome,
  PressKeysRequest,
  SendTextRequest,
} from '../../../../src/wire/gen/fleet/v1/orders.ts';
import type { PromptReading } from '../../../../src/wire/gen/fleet/v1/terminal.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { notServed } from '../../../helpers/not-served.ts';
import { PrivateTmux } from '../../../helpers/tmux-server.ts';
import { until } from '../../../helpers/until.ts';

const FIXTURES = new URL('../../../fixtures/scripted-agents/', import.meta.url).pathname;
const SERVER = 'a';
const UID = process.getuid!();
/** A slow machine under load: time is never what a test is about. */
const PATIENCE_MS = 30_000;

const EVERYTHING: HostPolicy = {
  control: 'deploy',
  federated: 'observe',
  takeover: true,
  federatedTakeover: false,
  problem: null,
};

export const fromHere = (signal = new AbortController().signal, federated = false): CallContext => ({
  origin: { actor: 'local:jarvis', name: 'jarvis@W-jarvis', kind: 'local', role: 'operator', federated },
  audience: { watchers: [], onChange: () => ({ [Symbol.dispose]: () => undefined }) },
  signal,
});

/** What a scripted agent wrote down. */
export interface Said {
  message?: string;
  busy?: boolean;
  choice?: string;
  of?: string;
}

export interface KnownAgent {
  row: AgentRow;
  pane: PaneRef;
}

const realScreens = (): PaneScreens =>
  new PaneScreens({
    questions: new Questions({ tmuxPath: 'tmux', uid: UID, follower: () => null, problem: () => null }),
    clock: systemClock,
  });

const realPrompts = (folder: string): ScreenPrompts =>
  new ScreenPrompts(new RuleShelf(join(folder, 'config'), systemClock));

export const realPorts = (
  folder: string,
  agents: ReadonlyMap<string, KnownAgent>,
  writer: (key: string) => string | null = () => null,
): VerbPorts => ({
  panes: { row: (key) => agents.get(key)?.row, pane: (key) => agents.get(key)?.pane },
  screens: realScreens(),
  prompts: realPrompts(folder),
  typing: new PaneTyping({ tmuxPath: 'tmux', uid: UID }),
  processes: new ProcTable(),
  company: { writer },
  locks: new PaneLocks(join(folder, 'panes')),
  clock: systemClock,
  isLineMode,
});

/** A host-agent's orders, with everything real but the inventory: agents are as they were given. */
export const realOrders = (
  folder: string,
  agents: ReadonlyMap<string, KnownAgent>,
  over: Partial<OrdersOptions> & { writer?: (key: string) => string | null } = {},
): Orders => {
  const orders = new Orders({
    ports: realPorts(folder, agents, over.writer),
    lifecycle: { control: notServed('start or stop'), lookBack: notServed('start or stop') },
    desired: { control: notServed('deploy or remove'), lookBack: notServed('deploy or remove') },
    roster: { put: notServed('write a roster'), digestOf: () => '', lookBack: notServed('look back at a roster') },
    policy: () => EVERYTHING,
    policyPath: '/home/jarvis/.config/fleet/host-policy.json',
    journalPath: join(folder, 'orders.journal'),
    names: () => ({ cell: 'home', host: 'W-jarvis', user: 'jarvis' }),
    log: silentLogger(),
    nowMs: Date.now,
    ...over,
  });
  orders.start();
  return orders;
};

export class OrderGround {
  readonly tmux = new PrivateTmux();
  readonly folder = mkdtempSync(join(tmpdir(), 'fleet-orders-'));
  readonly prompts = realPrompts(this.folder);
  readonly screens = realScreens();
  readonly rows = new Map<string, KnownAgent>();
  readonly writers = new Map<string, string>();
  policy: HostPolicy = EVERYTHING;
  readonly #orders: Orders[] = [];
  #count = 0;

  /** Several share locks, as several host-agents of one user do. */
  orders(over: Partial<OrdersOptions> = {}): Orders {
    const writer = (key: string) => this.writers.get(key) ?? null;
    const orders = realOrders(this.folder, this.rows, { policy: () => this.policy, writer, ...over });
    this.#orders.push(orders);
    return orders;
  }

  /** `claude` with modes, in its own process or below a shell. */
  claude(modes = '', below: 'exec' | 'shell' = 'exec'): Promise<ScriptedAgent> {
    const agent = this.#newAgent();
    const command = `${process.execPath} ${FIXTURES}claude.js ${agent.log} '${modes}'`;
    return this.#start(agent, below === 'exec' ? `exec ${command}` : `${command}; PS1='$ ' exec sh -i`);
  }

  stub(mode: string): Promise<ScriptedAgent> {
    const agent = this.#newAgent();
    return this.#start(agent, `exec python3 ${FIXTURES}dogfood-agent.py ${agent.log} ${mode}`);
  }

  /** Something that is no agent at all. */
  async program(command: string): Promise<ScriptedAgent> {
    const agent = this.#newAgent();
    this.#open(agent, command);
    return agent;
  }

  #newAgent(): ScriptedAgent {
    this.#count += 1;
    return new ScriptedAgent(this, `agent-${this.#count}`, join(this.folder, `agent-${this.#count}`));
  }

  async #start(agent: ScriptedAgent, command: string): Promise<ScriptedAgent> {
    this.#open(agent, command);
    await until(() => agent.entries().length > 0, { timeoutMs: PATIENCE_MS });
    await until(() => this.run('capture-pane', '-p', '-t', agent.pane.paneId) !== '', { timeoutMs: PATIENCE_MS });
    return agent;
  }

  #open(agent: ScriptedAgent, command: string): void {
    this.tmux.session(SERVER, agent.name, command);
    this.know(agent);
  }

  /** Takes the pane as it is now into the rows. */
  know(agent: ScriptedAgent): void {
    const [paneId, pid, sessionId] = this.run(
      'list-panes',
      '-t',
      `=${agent.name}:`,
      '-F',
      '#{pane_id} #{pane_pid} #{session_id}',
    ).split(' ') as [string, string, string];
    const pane = { key: agent.name, socket: this.tmux.socket(SERVER), sessionId, paneId, panePid: Number(pid) };
    const tmux = { socket: pane.socket, session: agent.name, sessionId, paneId, pid: pane.panePid } as AgentRow['tmux'];
    this.rows.set(agent.name, { row: agentRow({ key: agent.name, agent: agent.name, tmux }), pane });
    agent.pane = pane;
  }

  run(...args: string[]): string {
    return this.tmux.run(SERVER, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#orders.map((orders) => orders.stopped()));
    this.tmux.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let ids = 0;
export const newId = (): string => {
  ids += 1;
  return `order-${process.pid}-${ids}`;
};

export class ScriptedAgent {
  readonly name: string;
  readonly log: string;
  readonly #ground: OrderGround;
  pane!: PaneRef;

  constructor(ground: OrderGround, name: string, log: string) {
    this.#ground = ground;
    this.name = name;
    this.log = log;
  }

  get target() {
    const { key, paneId, panePid } = this.pane;
    return { hostAgent: 'W-jarvis/jarvis', key, paneId, panePid };
  }

  message(text: string, over: Partial<SendTextRequest> = {}): SendTextRequest {
    const { target } = this;
    const how = { sender: undefined, verify: true, noLabel: true, timeoutMs: PATIENCE_MS, waitIdleMs: 0 };
    return { id: newId(), target, text, ...how, ...over };
  }

  keys(keys: string[], over: Partial<PressKeysRequest> = {}): PressKeysRequest {
    const { target } = this;
    return { id: newId(), target, keys, ifPrompt: '', blind: false, timeoutMs: PATIENCE_MS, ...over };
  }

  answer(choice: string, promptId: string, over: Partial<AnswerPromptRequest> = {}): AnswerPromptRequest {
    return { id: newId(), target: this.target, choice, promptId, timeoutMs: PATIENCE_MS, ...over };
  }

  send(orders: Orders, text: string, over: Partial<SendTextRequest> = {}): Promise<OrderOutcome> {
    return orders.sendText(this.message(text, over), fromHere());
  }

  entries(): Record<string, unknown>[] {
    try {
      return readFileSync(`${this.log}.said`, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    } catch {
      return [];
    }
  }

  /** What happened, its start aside. */
  said(): Said[] {
    return this.entries().filter((entry) => !('started' in entry)) as Said[];
  }

  messages(): string[] {
    return this.said().flatMap(({ message }) => message ?? []);
  }

  /** Every byte that it got. */
  bytes(): string {
    try {
      return readFileSync(`${this.log}.bytes`, 'utf8');
    } catch {
      return '';
    }
  }

  /** The runtime's own process. */
  get pid(): number {
    return this.entries().find((entry) => typeof entry.started === 'number')?.started as number;
  }

  screen(): string {
    return this.#ground.run('capture-pane', '-p', '-t', this.pane.paneId);
  }

  async prompt(runtime = 'claude'): Promise<PromptReading> {
    const picture = await this.#ground.screens.read(this.pane, AbortSignal.timeout(PATIENCE_MS));
    return this.#ground.prompts.read(runtime, picture) as PromptReading;
  }

  whenPrompt(isSo: (reading: PromptReading) => boolean): Promise<PromptReading> {
    return this.whenScreen('claude', isSo);
  }

  whenScreen(runtime: string, isSo: (reading: PromptReading) => boolean): Promise<PromptReading> {
    const look = async () => {
      const reading = await this.prompt(runtime);
      return isSo(reading) ? reading : null;
    };
    return until(look, { timeoutMs: PATIENCE_MS });
  }
}
