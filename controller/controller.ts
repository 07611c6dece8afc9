/**
 * The wiring diagram of the controller: uplink ─▶ registry ─▶ view ─▶ FleetService, all behind one door.
 * Nothing is decided here.
 */
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { Authorities } from '../src/identity/authorities.ts';
import { authorityCell, LEAF_LIFETIME_MS } from '../src/identity/authority.ts';
import { type Clock, systemClock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { Shutdown } from '../src/runtime/shutdown.ts';
import { ownFolder } from '../src/runtime/socket-claim.ts';
import { FLEET_VERSION } from '../src/runtime/version.ts';
import { FleetView } from '../src/view/fleet-view.ts';
import { DESCRIPTOR_SET } from '../src/wire/gen/descriptor-set.ts';
import { AdminServiceService } from '../src/wire/gen/fleet/v1/admin.ts';
import { EnrollmentServiceService } from '../src/wire/gen/fleet/v1/enrollment.ts';
import { FleetServiceService } from '../src/wire/gen/fleet/v1/fleet.ts';
import { HostAgentServiceService } from '../src/wire/gen/fleet/v1/host_agent.ts';
import { Addresses } from './admin/addresses.ts';
import { ADMIN_TARGETS, adminHandlers } from './admin/admin-service.ts';
import { AuditLog } from './audit/audit-log.ts';
import { openBodyMac } from './audit/body-mac.ts';
import { SETTINGS_FILE } from './backup/back-up.ts';
import { composePeering } from './compose-peering.ts';
import { type ControllerConfig, DEFAULT_CELL } from './config.ts';
import { Desired, desiredTargets } from './desired/desired.ts';
import { dispatchHandlers, dispatchTargets } from './dispatch/dispatch-handlers.ts';
import { OrderIndex } from './dispatch/order-index.ts';
import { Orders } from './dispatch/orders.ts';
import { Enrollment } from './enrollment/enrollment.ts';
import { FailureLimit } from './enrollment/failure-limit.ts';
import { Rotation } from './enrollment/rotation.ts';
import { EVENT_TARGETS, eventHandlers } from './events/event-calls.ts';
import { EventLog } from './events/event-log.ts';
import { Events } from './events/events.ts';
import { Door } from './grpc/door.ts';
import type { MetricSources } from './grpc/metrics.ts';
import { openMetricsToken } from './grpc/metrics-token.ts';
import { GrpcServer } from './grpc/server.ts';
import { ServerIdentity } from './grpc/server-identity.ts';
import { addHealth, addReflection } from './grpc/standard-services.ts';
import { countedAgents, countedHosts } from './registry/counted.ts';
import { EnrolledHosts } from './registry/enrolled-hosts.ts';
import { FLEET_TARGETS, fleetHandlers } from './registry/fleet-service.ts';
import { keepLastKnown, loadLastKnown } from './registry/last-known.ts';
import { Registry } from './registry/registry.ts';
import { Epochs } from './store/epochs.ts';
import { LastKnown } from './store/last-known.ts';
import { openRecords } from './store/records.ts';
import { acquireSoleOwnership } from './store/sole-owner.ts';
import { SqliteStore } from './store/sqlite-store.ts';
import { adoptTenants } from './tenancy/adopt-tenants.ts';
import { watchTerminalHandler } from './terminal/watch-terminal.ts';
import { hostAgentHandlers } from './uplink/connect-call.ts';
import { diagnoses } from './uplink/diagnoses.ts';
import { HostCalls } from './uplink/host-calls.ts';
import { lineWords } from './uplink/line-words.ts';
import { ReportIntake } from './uplink/report-intake.ts';
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
    const stopping = new AbortController();
    const folder = join(paths.state, 'controller');
    const settingsPath = join(paths.config, SETTINGS_FILE);
    try {
      ownFolder(paths.state);
      ownFolder(folder);
      const lock = acquireSoleOwnership(join(folder, 'controller.lock'), 'a controller');
      shutdown.add('lock', () => lock[Symbol.dispose]());

      const store = new SqliteStore(join(folder, 'controller.db'));
      store.start();
      shutdown.add('store', () => store.stop());
      const records = await openRecords(store);
      await adoptTenants(records, clock.nowMs());
      const lastKnown = new LastKnown(store, part('last-known'));
      lastKnown.start();
      shutdown.add('last known', () => lastKnown.stop());
      const epochs = await Epochs.open(store, clock.nowMs());
      const cell = this.#config.cell ?? (await authorityCell(folder)) ?? DEFAULT_CELL;
      const authority = await Authorities.open(folder, cell, clock.nowMs());
      const audit = new AuditLog(store, clock, part('audit'), { cell });
      await audit.start();
      shutdown.add('audit', () => audit.stop());
      await audit.closeLeft();
      const bodyMac = await openBodyMac(join(folder, 'audit.key'));

      const view = new FleetView({ clock });
      const registry = new Registry({ cell, view, clock, log: part('registry') });
      const intake = new ReportIntake(view);
      registry.begin(await loadLastKnown(lastKnown));
      const forget = async (id: string): Promise<void> => {
        registry.removed(id);
        intake.forget(id);
        await lastKnown.forget(id);
      };
      const enrolled = new EnrolledHosts(records, registry, (id) => {
        forget(id).catch((err: unknown) => part('registry').error({ err, hostAgent: id }, 'last rows not forgotten'));
      });
      enrolled.follow();
      shutdown.add('enrolled hosts', () => enrolled.stop());

      const serverIdentity = new ServerIdentity(authority, clock, { name, lifetimeMs: LEAF_LIFETIME_MS });
      const { trust, peerGrants, federate } = composePeering({
        cell,
        records,
        authority,
        view,
        audit,
        clock,
        part,
        shutdown,
      });
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
        trusts: (id, trusted) => {
          rotation
            .heard(id, trusted)
            .catch((err: unknown) => part('rotation').error({ err, hostAgent: id }, 'not kept'));
        },
        auditHead: () => audit.lastChange,
        orderEnded: (id, order) => events.orderEndedAt(id, order),
      });
      const rotation = new Rotation({
        authorities: authority,
        records,
        clock,
        log: part('rotation'),
        isConnected: (id) => uplink.isConnected(id),
        isPeerConnected: (peer) => federation.links.describe(peer)?.link.state === 'connected',
        changed: () => {
          serverIdentity.renew();
          uplink.trustChanged();
        },
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
      const index = new OrderIndex(store, records.orders);
      const eventLog = new EventLog({ store, clock, log: part('events') });
      await eventLog.start();
      shutdown.add('event log', () => eventLog.stop());
      const figures: MetricSources = {
        agents: () => countedAgents(view),
        hosts: () => countedHosts(view),
        streams: () => door.open(),
        auditDropped: () => audit.dropped,
        auditSequence: () => audit.head.sequence,
        eventsDropped: () => eventLog.dropped,
      };
      // Its library is loaded where figures are asked for only.
      const metrics =
        metricsPort === null
          ? null
          : new (await import('./grpc/metrics.ts')).Metrics(
              figures,
              await openMetricsToken(join(folder, 'metrics-token')),
              part('metrics'),
            );
      shutdown.add('metrics', () => metrics?.stop());
      const events = new Events({ view, log: eventLog, clock });
      events.start();
      shutdown.add('events', () => events.stop());
      const orders = new Orders({
        view,
        calls,
        index,
        clock,
        log: part('orders'),
        onSettled: (record, order) => {
          events.orderSettled(record, order);
          metrics?.orderSettled(order.verb, order.outcome);
        },
      });
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
      const enrollment = new Enrollment({
        authority,
        retired: () => authority.retired,
        records,
        audit,
        limit,
        clock,
        log: part('enrollment'),
        addresses: () => addresses.dialable(),
        leafLifetimeMs: certificateLifetimeMs,
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
          ...dispatchHandlers({ view, records, calls, orders, index, localName }),
          ...desired.handlers,
          ...eventHandlers(eventLog, clock),
        },
        { ...FLEET_TARGETS, ...dispatchTargets(view, bodyMac), ...desiredTargets(view), ...EVENT_TARGETS },
      );
      server.addService(HostAgentServiceService, hostAgentHandlers(uplink, tunnels));
      server.addService(EnrollmentServiceService, {
        enroll: (caller, request) => enrollment.enroll(caller, request),
        renew: (caller, request) => enrollment.renew(caller, request),
        getTrustBundle: ({ spiffeId }) => rotation.tell(spiffeId),
        ...federation.enrollment,
      });
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
            rotation,
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
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#log.info({ reason: String(signal.reason) }, 'controller stopping');
    } finally {
      stopping.abort();
      await shutdown.stop();
    }
  }
}
