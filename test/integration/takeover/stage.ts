/** A real tmux server with a program that records its input, and the takeover room in front of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallContext, CallOrigin } from '../../../host-agent/calls/own-calls.ts';
import { OrderJournal } from '../../../host-agent/command/journal.ts';
import { TakeoverRecords } from '../../../host-agent/command/takeover-records.ts';
import type { HostPolicy } from '../../../host-agent/policy/host-policy.ts';
import { Takeover, type TakeoverOptions } from '../../../host-agent/takeover/takeover.ts';
import type { AgentPanes, PaneRef } from '../../../host-agent/terminal/ports.ts';
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import type { RawKeyStroke } from '../../../src/domain/key-stroke.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { HoldTerminalRequest, HoldTerminalResponse } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { PrivateTmux } from '../../helpers/tmux-server.ts';
import { until } from '../../helpers/until.ts';

export const SLOW = { timeoutMs: 60_000 };

/** Raw mode, an optional word to the terminal, then every byte of its input into a file. */
export const READER = `
import os, sys, tty
tty.setraw(0)
out = open(sys.argv[1], 'ab', buffering=0)
os.write(1, sys.argv[2].encode().decode('unicode_escape').encode('latin1') + b'ready')
while True:
    data = os.read(0, 65536)
    if not data: break
    out.write(data)
`;

export const origin = (name = 'ada', over: Partial<CallOrigin> = {}): CallOrigin => ({
  actor: `local:${name}`,
  name,
  kind: 'local',
  role: 'operator',
  federated: false,
  ...over,
});

export const OPEN_POLICY: HostPolicy = {
  control: 'lifecycle',
  federated: 'observe',
  takeover: true,
  federatedTakeover: false,
  problem: null,
};

/** Takeovers in a journal of their own below that folder. */
export const recordsIn = (folder: string): { journal: OrderJournal; records: TakeoverRecords } => {
  const journal = new OrderJournal({ path: join(folder, 'orders.journal'), maxOrders: 100, nowMs: Date.now });
  const started = journal.start();
  started.catch(() => undefined);
  const ready = () => started;
  const log = silentLogger();
  const addressOf = (key: string) => `home/h/u/${key}`;
  return { journal, records: new TakeoverRecords({ journal, ready, addressOf, log, nowMs: Date.now }) };
};

/** One HoldTerminal call as its caller sees it. */
export interface Held {
  events: HoldTerminalResponse[];
  /** Resolves with the lease once granted; rejects when refused. */
  granted: Promise<string>;
  ended: Promise<void>;
  /** The line breaks. */
  leave(): void;
}

export class Stage {
  readonly tmux = new PrivateTmux();
  readonly clock = new MovedClock();
  policy: HostPolicy = OPEN_POLICY;
  isFollowed = false;
  readonly kept = recordsIn(this.tmux.tmpdir);
  #count = 0;
  takeover: Takeover;
  readonly #stopping = new AbortController();
  readonly #more: Partial<TakeoverOptions>;

  constructor(more: Partial<TakeoverOptions> = {}) {
    this.#more = more;
    this.takeover = this.newTakeover();
  }

  /** As after a start of the host-agent. */
  newTakeover(): Takeover {
    return new Takeover({
      panes: this.#panes(),
      policy: () => this.policy,
      host: () => 'W-jarvis',
      clock: this.clock,
      log: silentLogger(),
      records: this.kept.records,
      uid: process.getuid?.() ?? 0,
      folder: join(this.tmux.tmpdir, 'lent'),
      isFollowed: () => this.isFollowed,
      onServers: () => ({ [Symbol.dispose]: () => undefined }),
      ...this.#more,
    });
  }

  /** A session whose program records; `hello` goes to its terminal first, as an escaped string. */
  async reader(session: string, hello = ''): Promise<void> {
    const script = join(this.tmux.tmpdir, 'reader.py');
    writeFileSync(script, READER);
    writeFileSync(this.#record(session), '');
    this.tmux.session('s', session, `python3 ${script} ${this.#record(session)} '${hello}'`);
    await until(() => this.tmux.run('s', 'capture-pane', '-p', '-t', `=${session}:`).includes('ready'), SLOW);
  }

  #record(session: string): string {
    return join(this.tmux.tmpdir, `${session}.bytes`);
  }

  bytes(session: string): Buffer {
    return readFileSync(this.#record(session));
  }

  forget(session: string): void {
    writeFileSync(this.#record(session), '');
  }

  /** What the program got, once it is as long as expected. */
  async got(session: string, length: number): Promise<string> {
    await until(() => this.bytes(session).length >= length, SLOW);
    return this.bytes(session).toString('latin1');
  }

  fact(session: string, format: string): string {
    return this.tmux.run('s', 'display-message', '-p', '-t', `=${session}:`, format);
  }

  target(session: string) {
    const pane = this.#panes().pane(session) as PaneRef;
    return { hostAgent: 'h/u', key: session, paneId: pane.paneId, panePid: pane.panePid };
  }

  hold(session: string, by = origin(), over: Partial<HoldTerminalRequest> = {}): Held {
    const leaving = new AbortController();
    const events: HoldTerminalResponse[] = [];
    const granted = Promise.withResolvers<string>();
    const sink = {
      write: (message: HoldTerminalResponse) => {
        events.push(message);
        if (message.granted) granted.resolve(message.granted.lease);
        return true;
      },
      drained: async () => undefined,
    };
    this.#count += 1;
    const request = {
      id: `hold-${this.#count}`,
      target: this.target(session),
      takeover: false,
      width: 0,
      height: 0,
      ...over,
    };
    const ended = this.takeover.holdTerminal(request, sink, this.#context(by, leaving.signal));
    ended.then(() => granted.reject(new Error('ended')), granted.reject);
    granted.promise.catch(() => undefined);
    ended.catch(() => undefined);
    return { events, granted: granted.promise, ended, leave: () => leaving.abort() };
  }

  type(session: string, lease: string, sequence: bigint, strokes: RawKeyStroke[], by = origin()) {
    const request = { target: this.target(session), lease, sequence, strokes };
    return this.takeover.typeKeys(request, this.#context(by, this.#stopping.signal));
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.takeover.stopped();
    await this.kept.journal.stop();
    this.tmux.close();
  }

  #context(by: CallOrigin, signal: AbortSignal): CallContext {
    const audience = { watchers: [by.name], onChange: () => ({ [Symbol.dispose]: () => undefined }) };
    return { origin: by, audience, signal: AbortSignal.any([signal, this.#stopping.signal]) };
  }

  /** The rows that an inventory would make, asked of tmux at each question. */
  #panes(): AgentPanes {
    const read = (key: string) => {
      try {
        const format = '#{session_id},#{pane_id},#{pane_pid},#{pane_dead}';
        const [sessionId, paneId, pid, dead] = this.fact(key, format).split(',');
        return paneId ? { sessionId: sessionId as string, paneId, panePid: Number(pid), dead: dead === '1' } : null;
      } catch {
        return null;
      }
    };
    const socket = this.tmux.socket('s');
    return {
      row: (key): AgentRow | undefined => {
        const pane = read(key);
        if (!pane) return undefined;
        const { sessionId, paneId, panePid, dead } = pane;
        const rest = { command: null, title: null, cwd: null, exitStatus: null, signal: null, width: 100, height: 30 };
        const session = { socket, session: key, sessionId, group: null, groupMembers: [], attached: 0 };
        return agentRow({
          key,
          agent: key,
          tmux: { ...session, ...rest, paneId, pid: panePid, dead, alternateScreen: false },
        });
      },
      pane: (key) => {
        const pane = read(key);
        return pane
          ? { key, socket, sessionId: pane.sessionId, paneId: pane.paneId, panePid: pane.panePid }
          : undefined;
      },
      onChange: () => ({ [Symbol.dispose]: () => undefined }),
    };
  }
}
