/**
 * Figures of the controller in Prometheus' text form, on loopback alone, only where they were asked for, and for whoever
 * may read what the controller keeps: they are of all tenants. No agent is named in them, and no path or text.
 */
import { createServer, type Server } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { FleetError } from '../../src/domain/errors.ts';
import { ORDER_OUTCOMES } from '../../src/domain/order.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { MayRead } from './metrics-token.ts';

/** Read at each scrape. */
export interface MetricSources {
  /** Lets the loop turn in between: there may be many. */
  agents(): AsyncIterable<{ tenant: string; host: string; readiness: string }>;
  hosts(): Iterable<{ tenant: string; host: string; link: string }>;
  /** Open calls by method. */
  streams(): Map<string, number>;
  auditDropped(): number;
  auditSequence(): number;
  eventsDropped(): number;
  lastKnownRefused(): number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #orders: Counter<'verb' | 'outcome'>;
  readonly #log: Logger;
  readonly #mayRead: MayRead;
  #server: Server | null = null;
  /** Those who ask at the same time are told the same. */
  #collecting: Promise<string> | null = null;

  constructor(sources: MetricSources, mayRead: MayRead, log: Logger) {
    this.#mayRead = mayRead;
    this.#log = log;
    const registers = [this.#registry];
    // Event loop lag, memory, file descriptors of this process.
    collectDefaultMetrics({ register: this.#registry, prefix: 'fleet_controller_' });
    counted('fleet_agents', 'agents by readiness', ['tenant', 'host', 'readiness'], registers, sources.agents);
    counted('fleet_host_agents', 'host-agents by link state', ['tenant', 'host', 'link'], registers, sources.hosts);
    const streams = new Gauge({
      name: 'fleet_open_calls',
      help: 'calls that are open now, by method',
      labelNames: ['method'],
      registers,
      collect: () => {
        streams.reset();
        for (const [path, count] of sources.streams())
          streams.set({ method: path.slice(path.lastIndexOf('/') + 1) }, count);
      },
    });
    const read = (name: string, help: string, value: () => number): void => {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(value()) });
    };
    read('fleet_audit_dropped', 'reads that were not audited since the start', sources.auditDropped);
    read('fleet_audit_sequence', 'records that were ever written to the audit', sources.auditSequence);
    read('fleet_events_dropped', 'events that were not kept since the start', sources.eventsDropped);
    read(
      'fleet_last_known_refused',
      'rows and hosts whose newest state the store refuses: after a restart they are older, or missing, until their host speaks',
      sources.lastKnownRefused,
    );
    this.#orders = new Counter({
      name: 'fleet_orders_total',
      help: 'orders by what became of them',
      labelNames: ['verb', 'outcome'],
      registers,
    });
  }

  /** A host that invents outcomes makes no new series. */
  orderSettled(verb: string, outcome: string): void {
    const isKnown = (ORDER_OUTCOMES as readonly string[]).includes(outcome);
    this.#orders.inc({ verb, outcome: isKnown ? outcome : 'other' });
  }

  /** A port that is taken costs the figures, and nothing else. */
  async serve(port: number): Promise<void> {
    try {
      this.#log.info({ address: await this.listen(port) }, 'metrics served');
    } catch (error) {
      this.#log.error({ err: error }, 'metrics not served');
    }
  }

  /** `host:port` that was bound. */
  async listen(port: number): Promise<string> {
    const server = createServer((request, response) => {
      const isAsked = request.method === 'GET' && request.url?.split('?')[0] === '/metrics';
      if (!isAsked) {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n');
        return;
      }
      if (!this.#mayRead(request.headers.authorization)) {
        response
          .writeHead(401, { 'content-type': 'text/plain', 'www-authenticate': 'Bearer' })
          .end('needs the bearer token in the file metrics-token of the controller\n');
        return;
      }
      this.#collecting ??= this.#registry.metrics().finally(() => {
        this.#collecting = null;
      });
      this.#collecting.then(
        (text) => response.writeHead(200, { 'content-type': this.#registry.contentType }).end(text),
        (err: unknown) => {
          this.#log.error({ err }, 'metrics cannot be told');
          response.writeHead(500).end();
        },
      );
    });
    server.headersTimeout = HEADERS_TIMEOUT_MS;
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(
          new FleetError('FAILED_PRECONDITION', `cannot serve metrics on 127.0.0.1:${port}: ${cause.message}`, {
            cause,
          }),
        ),
      );
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#server = server;
    const { port: bound } = server.address() as { port: number };
    return `127.0.0.1:${bound}`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

const HEADERS_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 16;

/** How many of what it names there are, by their labels. */
const counted = <L extends string>(
  name: string,
  help: string,
  labelNames: readonly L[],
  registers: Registry[],
  source: () => Iterable<Record<L, string>> | AsyncIterable<Record<L, string>>,
): void => {
  const gauge = new Gauge({
    name,
    help,
    labelNames,
    registers,
    collect: async () => {
      const counts = new Map<string, { labels: Record<L, string>; count: number }>();
      for await (const labels of source()) {
        const key = JSON.stringify(labels);
        const held = counts.get(key);
        if (held === undefined) counts.set(key, { labels, count: 1 });
        else held.count += 1;
      }
      gauge.reset();
      for (const { labels, count } of counts.values()) gauge.set(labels, count);
    },
  });
};
