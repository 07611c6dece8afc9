/**
 * The wiring diagram of the controller: uplink ─▶ registry ─▶ view ─▶ FleetService, all behind one door.
 * Nothing is decided here.
 */
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { LEAF_LIFETIME_MS } from '../src/identity/authority.ts';
import { aborted } from '../src/runtime/aborted.ts';
import { type Clock, systemClock } from '../src/runtime/clock.ts';
import type { Composition } from '../src/runtime/composition.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { Shutdown } from '../src/runtime/shutdown.ts';
import { FLEET_VERSION } from '../src/runtime/version.ts';
import { DESCRIPTOR_SET } from '../src/wire/gen/descriptor-set.ts';
import { AdminServiceService } from '../src/wire/gen/fleet/v1/admin.ts';
import { EnrollmentServiceService } from '../src/wire/gen/fleet/v1/enrollment.ts';
import { FleetServiceService } from '../src/wire/gen/fleet/v1/fleet.ts';
import { HostAgentServiceService } from '../src/wire/gen/fleet/v1/host_agent.ts';
import { Addresses } from './admin/addresses.ts';
import { ADMIN_TARGETS, adminHandlers } from './admin/admin-service.ts';
import { SETTINGS_FILE } from './backup/back-up.ts';
import { composeEnrollment } from './compose-enrollment.ts';
import { composeHosts } from './compose-hosts.ts';
import { composeMetrics } from './compose-metrics.ts';
import { composeOrders } from './compose-orders.ts';
import { composePeering } from './compose-peering.ts';
import { composeState } from './compose-state.ts';
import type { ControllerConfig } from './config.ts';
import { Desired, desiredTargets } from './desired/desired.ts';
import { FailureLimit } from './enrollment/failure-limit.ts';
import { Door } from './grpc/door.ts';
import { GrpcServer } from './grpc/server.ts';
import { ServerIdentity } from './grpc/server-identity.ts';
import { addHealth, addReflection } from './grpc/standard-services.ts';
import { FLEET_TARGETS, fleetHandlers } from './registry/fleet-service.ts';
import { keepLastKnown } from './registry/last-known.ts';
import { watchTerminalHandler } from './terminal/watch-terminal.ts';
import { hostAgentHandlers } from './uplink/connect-call.ts';
import { diagnoses } from './uplink/diagnoses.ts';
import { HostCalls } from './uplink/host-calls.ts';
import { lineWords } from './uplink/line-words.ts';
import { Tunnels } from './uplink/tunnels.ts';
import { Uplink } from './uplink/uplink.ts';

const TICK_MS = 500;
/** As health names them. */
const SERVICES = [
  'fleet.v1.FleetService',
  'fleet.v1.HostAgentService',
  'fleet.v1.EnrollmentService',
  'fleet.v1.AdminService',
];

export class Controller {
  readonly #config: ControllerConfig;
  readonly #log: Logger;
  readonly #clock: Clock;

  constructor(config: ControllerConfig, log: Logger, clock: Clock = systemClock) {
    this.#config = config;
    this.#log = log;
    this.#clock = clock;
  }

  /** Runs until the signal aborts, then stops its parts in reverse. */
  async run(signal: AbortSignal): Promise<void> {
    const { paths, port, name, certificateLifetimeMs, metricsPort } = this.#config;
    const clock = this.#clock;
    const part = (component: string): Logger => this.#log.child({ component });
    const shutdown = new Shutdown(part('shutdown'));
    const common: Composition = { clock, part, shutdown };
    const stopping = new AbortController();
    const settingsPath = join(paths.config, SETTINGS_FILE);
    try {
      const kept = await composeState({ config: this.#config, ...common });
      const { folder, store, records, lastKnown, epochs, cell, authority, audit, bodyMac } = kept;
      const hosts = await composeHosts({ cell, records, lastKnown, ...common });
      const { view, registry, intake, forget } = hosts;

      const serverIdentity = new ServerIdentity(authority, clock, { name, lifetimeMs: LEAF_LIFETIME_MS });
      const { trust, peerGrants, federate } = composePeering({ cell, records, authority, view, audit, ...common });
      const door = new Door({
        records,
        bundles: () => trust.bundles(),
        retired: () => authority.retired,
        grants: peerGrants,
        audit,
        clock,
        log: part('door'),
      });
      const server = new GrpcServer({
        door,
        material: trust.widened(serverIdentity.material),
        clock,
        log: part('grpc'),
      });
      const addresses = new Addresses(server, records, part('addresses'));
      const uplink = new Uplink({
        cell,
        version: FLEET_VERSION,
        registry,
        intake,
        clock,
        log: part('uplink'),
        nextEpoch: () => epochs.next(),
        addresses: () => addresses.dialable(),
        trustBundlePem: () => authority.trustPem,
        trusts: (id, trusted) => enrolment.heard(id, trusted),
        auditHead: () => audit.lastChange,
        orderEnded: (id, order) => events.orderEndedAt(id, order),
      });
      const tunnels = new Tunnels({
        isConnected: (id) => uplink.isConnected(id),
        askForTunnel: (id) => uplink.askForTunnel(id),
        standing: (id) => lineWords(view, id),
      });
      using _sessions = uplink.onSession((id, isOpen) => tunnels.sessionChanged(id, isOpen));
      const hostCalls = new HostCalls(tunnels);
      const limit = new FailureLimit(clock);
      const { federation, calls, returns, peering } = federate({
        limit,
        addresses: () => addresses.forPeers(),
        identity: () => serverIdentity.material,
        hostCalls,
        tunnels,
      });
      const localName = `${userInfo().username}@${hostname()}`;
      const { orders, events, eventLog, ...ordering } = await composeOrders({
        store,
        records,
        view,
        calls,
        bodyMac,
        localName,
        settled: ({ verb, outcome }) => metrics?.orderSettled(verb, outcome),
        ...common,
      });
      const metrics =
        metricsPort === null
          ? null
          : await composeMetrics({ folder, view, door, audit, eventLog, lastKnown, ...common });
      const desired = new Desired({
        cell,
        records,
        view,
        uplink,
        calls,
        orders,
        audit,
        clock,
        log: part('desired'),
        localName,
      });
      const enrolment = composeEnrollment({
        authority,
        records,
        audit,
        limit,
        addresses: () => addresses.dialable(),
        leafLifetimeMs: certificateLifetimeMs,
        isConnected: (id) => uplink.isConnected(id),
        isPeerConnected: (peer) => federation.links.describe(peer)?.link.state === 'connected',
        changed: () => {
          serverIdentity.renew();
          uplink.trustChanged();
        },
        ...common,
      });

      server.addService(
        FleetServiceService,
        {
          ...fleetHandlers({
            cell,
            version: FLEET_VERSION,
            view,
            registry,
            questions: diagnoses(hostCalls, localName),
            peers: (caller) => federation.links.standings(caller),
            clock,
          }),
          watchTerminal: watchTerminalHandler({ view, records, calls, tunnels: returns, clock, localName }),
          ...ordering.handlers,
          ...desired.handlers,
        },
        { ...FLEET_TARGETS, ...ordering.targets, ...desiredTargets(view) },
      );
      server.addService(HostAgentServiceService, hostAgentHandlers(uplink, tunnels));
      server.addService(EnrollmentServiceService, { ...enrolment.handlers, ...federation.enrollment });
      server.addService(
        AdminServiceService,
        {
          ...adminHandlers({
            records,
            audit,
            clock,
            cell,
            fingerprint: () => authority.fingerprint,
            addresses,
            rotation: enrolment.rotation,
            backup: { folder, settingsPath, cell, version: FLEET_VERSION, nowMs: () => clock.nowMs() },
            version: FLEET_VERSION,
            count: () => ({ hostAgents: registry.known().length, connected: uplink.connected }),
            lastSeenMs: (spiffeId) => door.lastSeenMs(spiffeId),
            onRemoved: async (hostAgents) => {
              for (const id of hostAgents) await forget(id);
            },
          }),
          ...peering.handlers,
        },
        { ...ADMIN_TARGETS, ...peering.targets },
      );
      const health = addHealth(server, SERVICES);
      addReflection(server, DESCRIPTOR_SET);
      desired.start();
      server.start();
      shutdown.add('grpc', () => server.stop());
      shutdown.add('desired', () => desired.stop());
      serverIdentity.start((material) => {
        server.rotate(trust.widened(material));
        federation.links.renew();
      });
      shutdown.add('server identity', () => serverIdentity.stop());
      using _trusted = trust.onChanged(() => server.rotate(trust.widened(serverIdentity.material)));
      await server.listenLocal(paths.adminSocket);
      await addresses.start(port);
      registry.reachable();
      federation.start();
      shutdown.add('federation', () => federation.stop());
      await metrics?.serve(metricsPort ?? 0);

      const ticks = setInterval(() => {
        registry.tick();
        desired.tick();
      }, TICK_MS);
      shutdown.add('ticks', () => clearInterval(ticks));
      const loops = [uplink.beat(stopping.signal), keepLastKnown(view, lastKnown, clock, stopping.signal)];
      shutdown.add('loops', async () => {
        stopping.abort();
        await Promise.all(loops);
      });
      for (const service of ['', ...SERVICES]) health.set(service, true);
      this.#log.info({ cell, listening: addresses.listening(), version: FLEET_VERSION }, 'controller started');
      await aborted(signal);
      this.#log.info({ reason: String(signal.reason) }, 'controller stopping');
    } finally {
      stopping.abort();
      await shutdown.stop();
    }
  }
}
