/** Orders to agents of two hosts, as the daemons of one machine are asked for them: everything they hear is kept. */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import { AdminServiceService } from '../../../src/wire/gen/fleet/v1/admin.ts';
import { FleetServiceService } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { agentRow, tmuxFacts } from '../../helpers/agent-row.ts';
import { type Ran, runFleetProgram } from '../../helpers/fleet-program.ts';
import { ServedView } from '../../helpers/served-view.ts';

export interface Heard {
  by: 'host-agent' | 'controller';
  call: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into requests of every kind
  request: any;
}

type Reply = (error: { code: number; details: string } | null, answer?: unknown) => void;
/** Rejects with a status. Undefined: no answer at all. */
export type Answer = (heard: Heard) => unknown;

export const refusal = (code: number, details: string): { code: number; details: string } => ({ code, details });

export const outcome = (over: Partial<OrderOutcome> = {}): OrderOutcome => ({
  id: 'told',
  address: '',
  verb: 'send',
  outcome: 'accepted',
  reason: '',
  actor: 'local:jarvis',
  beganMs: 0,
  endedMs: 0,
  repeated: false,
  ...over,
});

/** A row with a pane of its own. */
export const paneRow = (agent: string, paneId: string, pid: number, over: Partial<AgentRow> = {}): AgentRow =>
  agentRow({
    key: `k:${agent}`,
    agent,
    tmux: tmuxFacts({ session: agent, paneId, pid }),
    ...over,
  });

export const DRAGON = { id: 'dragon-lin/jwoltje', host: 'dragon-lin', user: 'jwoltje' };

const HOST_CALLS = [
  'sendText',
  'pressKeys',
  'answerPrompt',
  'controlAgent',
  'getRoster',
  'putRoster',
  'putIntent',
  'getOrder',
  'explainAgent',
  'whoAmI',
];

export class ServedOrders {
  readonly view = new ServedView();
  readonly heard: Heard[] = [];
  /** By the name of the call; what is not here is UNIMPLEMENTED. */
  answers: Record<string, Answer> = {};
  /** Cell of the controller of this user. */
  controllerCell = 'home';
  #controller: Server | null = null;

  /** With an agent on each of the two hosts: coder here, coder0-0 there. */
  static async begun(): Promise<ServedOrders> {
    const served = new ServedOrders();
    await served.start();
    served.view.put({ here: true }, paneRow('coder', '%1', 4321));
    served.view.put(DRAGON, paneRow('coder0-0', '%7', 77));
    return served;
  }

  async start(): Promise<void> {
    this.view.calls = Object.fromEntries(HOST_CALLS.map((call) => [call, this.#answering('host-agent', call)]));
    this.view.calls.watchTerminal = (call) => {
      this.heard.push({ by: 'host-agent', call: 'watchTerminal', request: call.request });
      call.emit('error', refusal(status.PERMISSION_DENIED, 'no screens here'));
    };
    await this.view.start();
  }

  /** A controller of this user at the admin socket. */
  async startController(): Promise<void> {
    const { adminSocket } = this.view.paths;
    mkdirSync(dirname(adminSocket), { recursive: true, mode: 0o700 });
    const server = new Server();
    this.#controller = server;
    const { sendText, pressKeys, answerPrompt, getOrder } = FleetServiceService;
    const names = ['sendText', 'pressKeys', 'answerPrompt', 'getOrder', 'allowVerbs', 'controllerStatus'];
    const { allowVerbs, controllerStatus } = AdminServiceService;
    server.addService(
      { sendText, pressKeys, answerPrompt, getOrder, allowVerbs, controllerStatus } as never,
      Object.fromEntries(names.map((call) => [call, this.#answering('controller', call)])) as never,
    );
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${adminSocket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  /** Commands that follow the view now. */
  get readers(): number {
    return this.view.readers;
  }

  /** Calls of that name, and by whom they were heard. */
  calls(name: string): Heard[] {
    return this.heard.filter(({ call }) => call === name);
  }

  /** Commands that are told leave the instance out. */
  fleet(...args: string[]): Promise<Ran> {
    return this.fleetReading(undefined, ...args);
  }

  async fleetReading(input: string | Uint8Array | undefined, ...args: string[]): Promise<Ran> {
    const { instance, home } = this.view;
    const ran = await runFleetProgram(['--instance', instance, ...args], { HOME: home }, input);
    const plainly = (text: string): string => text.replaceAll(`fleet --instance ${instance} `, 'fleet ');
    return { code: ran.code, stdout: plainly(ran.stdout), stderr: plainly(ran.stderr) };
  }

  dispose(): void {
    this.#controller?.forceShutdown();
    rmSync(this.view.paths.adminSocket, { force: true });
    this.view.dispose();
  }

  #answering(by: Heard['by'], call: string) {
    return ({ request }: { request: unknown }, reply: Reply): void => {
      const heard = { by, call, request };
      this.heard.push(heard);
      const answer = this.answers[call] ?? DEFAULTS[call];
      try {
        if (!answer) throw refusal(status.UNIMPLEMENTED, `${call} is not served`);
        const told = answer(heard);
        if (told !== undefined)
          reply(null, call === 'controllerStatus' ? { ...(told as object), cell: this.controllerCell } : told);
      } catch (error) {
        reply(error as { code: number; details: string });
      }
    };
  }
}

/** Without the session, which a host-agent of before does not tell. */
export const WHO_AM_I = {
  cell: 'home',
  host: 'W-jarvis',
  user: 'jarvis',
  version: '1',
  verbs: [],
  tenants: [],
  elsewhere: [],
};

const DEFAULTS: Record<string, Answer> = {
  sendText: () => outcome(),
  pressKeys: () => outcome({ verb: 'keys', outcome: 'done' }),
  answerPrompt: () => outcome({ verb: 'answer', outcome: 'done' }),
  controlAgent: ({ request }) => outcome({ id: request.id, verb: request.action, outcome: 'done' }),
  getOrder: () => {
    throw refusal(status.NOT_FOUND, 'no such order');
  },
  whoAmI: () => ({ ...WHO_AM_I, session: 'operator' }),
  controllerStatus: () => ({
    cell: '',
    version: '1',
    listening: [],
    advertised: [],
    fingerprint: '',
    hostAgents: 1,
    connected: 1,
    pid: 1,
  }),
};
