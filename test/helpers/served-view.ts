/** A view that a test fills, served as the daemons serve theirs: real gRPC on a Unix socket, the shipped stream. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Server, ServerCredentials, type ServerWritableStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { HostAgent } from '../../src/domain/host-agent.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { callSink } from '../../src/runtime/message-sink.ts';
import { type Paths, resolvePaths } from '../../src/runtime/paths.ts';
import { FleetView, heardBehind } from '../../src/view/fleet-view.ts';
import { streamView } from '../../src/view/view-stream.ts';
import { encodeAgentRow } from '../../src/wire/agent-row.ts';
import { type FleetServiceServer, FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { Finding, Upstream, WatchAgentsRequest, WatchAgentsResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import { type Running, startFleet } from './fleet-program.ts';
import { hostAgent, hostFacts } from './host-agent.ts';

const HEARD_EVERY_MS = 500;
const CALLER = { name: 'jarvis', role: 'operator', tenantId: 'default', kind: 'local' };

export class ServedView {
  readonly home = mkdtempSync(join(tmpdir(), 'fleet-home-'));
  readonly instance = `t${randomBytes(6).toString('hex')}`;
  readonly paths: Paths = resolvePaths({ instance: this.instance, home: this.home });
  view = new FleetView({ clock: systemClock });
  upstream: Upstream = { state: 'none', address: '', ageMs: 0, peers: [] };
  findings: Finding[] = [];
  /** What a test answers itself, in place of what is served here; read at `start`. */
  calls: Partial<FleetServiceServer> = {};
  /** Those who follow the view now and have been told it once. */
  readers = 0;
  /** Each host whose link stands is heard again and again, however slow this machine is. */
  isHeard = true;
  readonly #programs: Running[] = [];
  #beats: NodeJS.Timeout | undefined;
  #server: Server | null = null;
  #stop = new AbortController();

  /** Opens the socket; again after `stop` it is a new run with an empty view. */
  async start(): Promise<void> {
    const path = this.paths.hostAgentSocket;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#stop = new AbortController();
    this.view = new FleetView({ clock: systemClock });
    clearInterval(this.#beats);
    this.#beats = setInterval(() => this.isHeard && this.beat(), HEARD_EVERY_MS);
    const server = new Server();
    this.#server = server;
    server.addService(FleetServiceService, this.#service());
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  /** Ends every stream and removes the socket. */
  stop(): void {
    clearInterval(this.#beats);
    this.#stop.abort();
    this.#server?.forceShutdown();
    this.#server = null;
    rmSync(this.paths.hostAgentSocket, { force: true });
  }

  put(over: Partial<HostAgent>, ...rows: AgentRow[]): void {
    const agent = hostAgent({ facts: hostFacts({ hostNowMs: Date.now() }), ...over });
    const { link, heardAgeMs, behind, ...rest } = agent;
    const now = systemClock.monotonicMs();
    this.view.putHostAgent({
      ...rest,
      behind: behind && heardBehind(behind, now),
      linkState: link.state,
      linkReason: link.reason,
      linkSinceMono: now - link.ageMs,
      heardAtMono: now - heardAgeMs,
    });
    for (const row of rows) this.putRow(agent.id, row);
  }

  putRow(hostAgentId: string, row: AgentRow): void {
    this.view.putRow(hostAgentId, row.key, Buffer.from(encodeAgentRow(row)));
  }

  removeRow(hostAgentId: string, key: string): void {
    this.view.removeRow(hostAgentId, key);
  }

  /** Proof of life of every host whose link stands. */
  beat(): void {
    for (const { id, linkState, facts } of this.view.hostAgents())
      if (linkState === 'connected') this.view.heard(id, { ...(facts ?? hostFacts()), hostNowMs: Date.now() });
  }

  /** The shipped program, asking here; it does not outlive `dispose`. */
  fleet(...args: string[]): Running {
    const running = startFleet(['--instance', this.instance, ...args], { HOME: this.home });
    this.#programs.push(running);
    return running;
  }

  dispose(): void {
    for (const { child } of this.#programs.splice(0)) child.kill('SIGKILL');
    this.stop();
    rmSync(this.paths.run, { recursive: true, force: true });
    rmSync(this.home, { recursive: true, force: true });
  }

  /** What is not here is UNIMPLEMENTED, as the library says it. */
  #service(): UntypedServiceImplementation {
    const names = { cell: 'home', host: 'W-jarvis', user: 'jarvis', version: '1.0.0', tenants: [], verbs: ['read'] };
    const own: Pick<FleetServiceServer, 'watchAgents' | 'whoAmI' | 'diagnose'> = {
      watchAgents: (call: ServerWritableStream<WatchAgentsRequest, WatchAgentsResponse>) => this.#watch(call),
      whoAmI: (_, reply) => reply(null, { ...names, caller: CALLER, upstream: this.upstream, elsewhere: [] }),
      diagnose: (_, reply) => reply(null, { findings: this.findings, unanswered: false }),
    };
    return { ...own, ...this.calls } as UntypedServiceImplementation;
  }

  async #watch(call: ServerWritableStream<WatchAgentsRequest, WatchAgentsResponse>): Promise<void> {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    const scope = {
      cell: 'home',
      caller: CALLER,
      sees: () => true,
      scope: '',
      hereOnly: call.request.localOnly,
      upstream: () => this.upstream,
    };
    const signal = AbortSignal.any([gone.signal, this.#stop.signal]);
    const sink = callSink(call);
    let isTold = false;
    const counting = {
      ...sink,
      write: (frame: WatchAgentsResponse): boolean => {
        if (frame.bookmark && !isTold) {
          isTold = true;
          this.readers += 1;
        }
        return sink.write(frame);
      },
    };
    await streamView(this.view, call.request, scope, counting, systemClock, signal);
    if (isTold) this.readers -= 1;
    call.end();
  }
}
