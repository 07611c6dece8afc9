/**
 * The controller's gRPC over TLS and over its admin socket. Strangers, enrolled identities and local callers meet
 * servers of their own with bounds of their own; all of them pass the one door.
 */
import type { Server as NetServer, Socket } from 'node:net';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { Subject } from '../tenancy/subject.ts';
import type { Transport } from './admission.ts';
import { ByteMeter } from './byte-meter.ts';
import { Connections } from './connections.ts';
import type { Door } from './door.ts';
import { type AnyCall, endStream, endUnary, GuardedCalls } from './guarded-call.ts';
import type { Definition, Handlers, MethodDefinition, Targets } from './handlers.ts';
import { listenLocal } from './local-socket.ts';
import { LogBudget } from './log-budget.ts';
import { type Audience, optionsFor, SERVER_LIMITS, type ServerLimits } from './server-limits.ts';
import { TlsFront, type TlsMaterial } from './tls-front.ts';

interface Face {
  server: Server;
  injector: ConnectionInjector;
}

export interface GrpcServerContext {
  door: Door;
  material: TlsMaterial;
  clock: Clock;
  log: Logger;
  limits?: Partial<ServerLimits>;
}

export class GrpcServer {
  readonly #context: GrpcServerContext;
  readonly #limits: ServerLimits;
  readonly #faces: Record<Audience, Face>;
  readonly #calls: GuardedCalls;
  readonly #meter = new ByteMeter();
  readonly #front: TlsFront;
  readonly #connections: Connections;
  readonly #locals = new Set<Socket>();
  readonly #localServers: NetServer[] = [];

  constructor(context: GrpcServerContext) {
    this.#context = context;
    const limits = { ...SERVER_LIMITS, ...context.limits };
    const face = (audience: Audience): Face => {
      const server = new Server(optionsFor(audience, limits));
      // The sockets that are put in here come out of our own TLS; the library must not start another.
      return { server, injector: server.createConnectionInjector(ServerCredentials.createInsecure()) };
    };
    this.#limits = limits;
    this.#faces = { strangers: face('strangers'), known: face('known'), local: face('local') };
    const budget = new LogBudget(context.clock);
    this.#calls = new GuardedCalls(context.door, context.log, budget);
    const { door, log } = context;
    const goOn = (audience: Audience, socket: Socket): void => this.#faces[audience].injector.injectConnection(socket);
    this.#connections = new Connections({ door, limits, log, budget, goOn });
    const options = { material: context.material, clock: context.clock, log, budget, limits };
    this.#front = new TlsFront(options, (socket) => this.#connections.welcome(socket));
  }

  start(): void {
    this.#context.door.start((spiffeId) => this.#connections.cutFallen(spiffeId));
  }

  /** Serves a service to everybody whom the door's table names. BugError for a method without a row there. */
  addService<D extends Definition>(definition: D, handlers: Handlers<D>, targets: Targets<D> = {}): void {
    this.#context.door.requireRules(Object.values(definition).map(({ path }) => path));
    const counted = Object.fromEntries(
      Object.entries(definition).map(([name, method]) => [name, this.#meter.counted(method)]),
    );
    for (const audience of ['strangers', 'known', 'local'] as const) {
      const implementation: UntypedServiceImplementation = {};
      for (const [name, method] of Object.entries(definition)) {
        const handler = (handlers[name] as (...args: unknown[]) => unknown).bind(handlers);
        const target = targets[name] as ((request: unknown, caller: Caller) => string | Subject) | undefined;
        implementation[name] = this.#guard(audience, method, handler, target);
      }
      this.#faces[audience].server.addService(counted as unknown as ServiceDefinition, implementation);
    }
  }

  /** For ready-made implementations (health, reflection): admitted by the same table, told nothing of the caller. */
  addRaw(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    this.#context.door.requireRules(Object.values(definition).map(({ path }) => path));
    for (const audience of ['strangers', 'known', 'local'] as const) {
      const guarded: UntypedServiceImplementation = {};
      for (const [name, { path, originalName = name, responseStream }] of Object.entries(definition)) {
        const act = (implementation[name] ?? implementation[originalName]) as (...args: unknown[]) => void;
        guarded[name] = ((call: AnyCall, callback: (error: Error) => void) => {
          const refusal = this.#calls.admitRaw(call, path, this.#transportOf(audience, call));
          if (refusal === null) act(call, callback);
          else if (responseStream) call.emit('error', refusal);
          else callback(refusal);
        }) as UntypedHandleCall;
      }
      this.#faces[audience].server.addService(definition, guarded);
    }
  }

  /** Opens host:port for TLS; the address that was bound. */
  listen(host: string, port: number): Promise<string> {
    return this.#front.listen(host, port);
  }

  async listenLocal(path: string): Promise<void> {
    const server = await listenLocal(path, (socket) => {
      this.#locals.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#locals.delete(socket));
      this.#faces.local.injector.injectConnection(socket);
    });
    this.#localServers.push(server);
  }

  /** host:port of every open TLS listener. */
  get listening(): string[] {
    return this.#front.listening;
  }

  rotate(material: TlsMaterial): void {
    this.#front.rotate(material);
  }

  /** Lets streams say goodbye, then ends everything. */
  async stop(): Promise<void> {
    for (const server of this.#localServers) server.close();
    this.#context.door.stop();
    const open = this.#connections.size + this.#locals.size;
    await new Promise((resolve) => setTimeout(resolve, open > 0 ? this.#limits.graceMs : 0));
    this.#front.stop();
    this.#connections.stop();
    for (const socket of this.#locals) socket.destroy();
    for (const { server, injector } of Object.values(this.#faces)) {
      injector.destroy();
      server.forceShutdown();
    }
  }

  #transportOf(audience: Audience, call: AnyCall): Transport {
    if (audience === 'local') return { type: 'unix' };
    const peer = call.getPeer();
    const leaf = (call.getAuthContext().sslPeerCertificate?.raw as Buffer | undefined) ?? null;
    return { type: 'tls', peer, leaf, shown: this.#connections.leafShownBy(peer) };
  }

  #guard(
    audience: Audience,
    { path, requestStream, responseStream }: MethodDefinition,
    handler: (...args: unknown[]) => unknown,
    target: ((request: unknown, caller: Caller) => string | Subject) | undefined,
  ): UntypedHandleCall {
    const calls = this.#calls;
    const meter = this.#meter;
    const subjectOf =
      (call: AnyCall) =>
      (caller: Caller): Subject => {
        const named = requestStream ? '' : (target?.(call.request, caller) ?? '');
        const subject = typeof named === 'string' ? { target: named } : named;
        return { ...subject, lasts: responseStream && subject.lasts !== false };
      };
    const guarded = (call: AnyCall, callback: Parameters<typeof endUnary>[0]): void => {
      const transport = this.#transportOf(audience, call);
      const count = { bytes: meter.requestBytes(call.request) };
      const subject = subjectOf(call);
      if (!responseStream) {
        const end = endUnary(callback);
        void calls.run(call, path, transport, {
          subject,
          count,
          act: (caller, context) => handler(caller, call.request, context),
          end: (failure, result) => meter.during(count, () => end(failure, result)),
        });
        return;
      }
      const stream = call as unknown as Parameters<typeof endStream>[0];
      meter.follow(stream, count);
      void calls.run(call, path, transport, {
        subject,
        count,
        act: (caller, context) =>
          requestStream ? handler(caller, call, context) : handler(caller, call.request, call, context),
        end: endStream(stream),
      });
    };
    return guarded as UntypedHandleCall;
  }
}
