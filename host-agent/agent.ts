/**
 * The wiring diagram of the host-agent: sources ─▶ inventory ─▶ view ─▶ report and local service.
 * Nothing is decided here.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type HostFacts, hostAgentId } from '../src/domain/host-agent.ts';
import { machineId } from '../src/identity/machine-id.ts';
import { type Clock, systemClock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { Shutdown } from '../src/runtime/shutdown.ts';
import { ownFolder } from '../src/runtime/socket-claim.ts';
import { FLEET_VERSION, installedBuild } from '../src/runtime/version.ts';
import { FleetView } from '../src/view/fleet-view.ts';
import { FleetServiceService } from '../src/wire/gen/fleet/v1/fleet.ts';
import { composeCalls } from './compose-calls.ts';
import { composeTerminal } from './compose-terminal.ts';
import type { HostAgentConfig } from './config.ts';
import { Enrolment } from './enrollment/enrolment.ts';
import { IdentityFile } from './enrollment/identity-file.ts';
import { Renewal } from './enrollment/renewal.ts';
import { heartbeatFolders } from './heartbeat/folders.ts';
import { HeartbeatSource } from './heartbeat/source.ts';
import { hostWarnings, needsOf } from './inventory/host-facts.ts';
import { Inventory } from './inventory/inventory.ts';
import { agentUnit } from './inventory/join.ts';
import { sessionOf } from './inventory/session-of.ts';
import { LaunchSource } from './launch/launch-source.ts';
import { localFleetService } from './local/fleet-service.ts';
import { LocalServer } from './local/local-server.ts';
import { type ControllerLine, Upstream } from './local/upstream.ts';
import { readHostPolicy } from './policy/host-policy.ts';
import { procLineage } from './process/lineage.ts';
import { ProcTable } from './process/proc-table.ts';
import { RuleShelf } from './prompts/rule-shelf.ts';
import { uplinkChannel } from './report/controller-channel.ts';
import { EndedOrders } from './report/ended-orders.ts';
import { callEnroll, callRenew } from './report/enrollment-calls.ts';
import { UplinkClient } from './report/uplink-client.ts';
import { RosterSource } from './roster/source.ts';
import { noSystemd } from './systemd/no-systemd.ts';
import { SystemdSource } from './systemd/source.ts';
import { TmuxSource } from './tmux/tmux-source.ts';

/** Cell of a host-agent that was never enrolled: its rows are this machine's alone. */
const NO_CELL = 'local';

export class HostAgent {
  readonly #config: HostAgentConfig;
  readonly #log: Logger;
  readonly #clock: Clock;

  constructor(config: HostAgentConfig, log: Logger, clock: Clock = systemClock) {
    this.#config = config;
    this.#log = log;
    this.#clock = clock;
  }

  /** Runs until the signal aborts, then stops its parts in reverse. */
  async run(signal: AbortSignal): Promise<void> {
    const { paths, user, uid, name } = this.#config;
    const clock = this.#clock;
    const part = (component: string): Logger => this.#log.child({ component });
    const shutdown = new Shutdown(part('shutdown'));
    const stopping = new AbortController();
    const view = new FleetView({ clock });
    const machine = machineId(paths.instance);
    const build = installedBuild() ?? '';
    ownFolder(paths.state);
    ownFolder(join(paths.state, 'host-agent'));

    const server = new LocalServer(paths.hostAgentSocket);
    try {
      const enrolment = new Enrolment({
        file: new IdentityFile(join(paths.state, 'host-agent')),
        clock,
        log: part('enrolment'),
        machineId: machine,
        version: FLEET_VERSION,
        hostName: name,
        userName: user,
        enroll: (address, trustBundlePem, cell, request, ending) =>
          callEnroll(
            address,
            { certificatePem: null, keyPem: null, trustBundlePem, cell },
            request,
            clock.nowMs,
            ending,
          ),
      });
      await enrolment.load();
      const names = () => {
        const {
          cell,
          host,
          user: as,
          tenantId,
        } = enrolment.identity ?? { cell: NO_CELL, host: name, user, tenantId: 'default' };
        return { cell, host, user: as, tenantId };
      };
      // Somebody else may hold the socket: find out before anything is watched.
      await server.claim();
      shutdown.add('local server', () => server.stop());

      const roster = new RosterSource({ mosaicHome: paths.mosaicHome });
      const beatsFolder = (agent: string, env: ReadonlyMap<string, ReadonlyMap<string, string>>): string => {
        const { shared, byAgent } = heartbeatFolders(paths.mosaicHome, homedir(), env);
        return byAgent.get(agent) ?? shared;
      };
      const heartbeats = new HeartbeatSource({
        folders: () => heartbeatFolders(paths.mosaicHome, homedir(), roster.current().env),
      });
      const systemd = paths.isolated ? noSystemd('an instance watches no units') : new SystemdSource({ uid, user });
      const tmux = new TmuxSource({
        tmuxTmpdir: paths.tmuxTmpdir,
        isolated: paths.isolated,
        uid,
        clock,
        log: part('tmux'),
      });
      shutdown.add('tmux', () => tmux.stopped(), 3_500);
      const socketPath = (socket: string | null) => join(paths.tmuxTmpdir, `tmux-${uid}`, socket ?? 'default');
      const launches = new LaunchSource({ ground: paths });
      const inventory = new Inventory({
        sources: { tmux, systemd, heartbeats, roster, launches, processes: new ProcTable() },
        view,
        clock,
        names,
        socketPath,
        launcherInstalled: FLEET_VERSION,
      });
      const rules = new RuleShelf(paths.config, clock);
      using _othersFollowRoster = roster.onChange(() => {
        void heartbeats.refresh();
        if (!(systemd instanceof SystemdSource)) return;
        systemd.setWanted((roster.current().roster?.agents ?? []).map((agent) => agentUnit(agent.name)));
      });

      let via: HostFacts['via'] = null;
      const facts = (): HostFacts => {
        const policy = readHostPolicy(paths.config);
        return {
          hostNowMs: clock.nowMs(),
          version: FLEET_VERSION,
          build,
          control: policy.control,
          warnings: hostWarnings(inventory.rows, inventory.readings(), [
            paths.isolated ? null : systemd.current().problem,
            policy.problem,
            enrolment.problem,
            ...rules.problems(),
          ]),
          certificateNotAfterMs: enrolment.certificateNotAfterMs,
          via,
          agents: inventory.rows.length,
          needs: needsOf(inventory.rows),
          machineId: machine,
          capabilities: [],
        };
      };
      const beHere = (): void => {
        const { cell, host, user: as, tenantId } = names();
        const id = hostAgentId(host, as);
        const before = view.hereId;
        if (before !== null && before !== id) view.removeHostAgent(before);
        const now = clock.monotonicMs();
        view.putHostAgent({
          id,
          cell,
          host,
          user: as,
          tenantId,
          here: true,
          linkState: 'connected',
          linkReason: null,
          linkSinceMono: now,
          facts: facts(),
          heardAtMono: now,
          clockSkewMs: 0,
          behind: null,
        });
      };
      beHere();
      await inventory.start(stopping.signal);
      view.heard(view.hereId as string, facts(), 0);

      const ended = new EndedOrders();
      using terminal = composeTerminal({
        paths,
        uid,
        clock,
        part,
        names,
        inventory,
        tmux,
        rules,
        unitsProblem: () => systemd.current().problem,
        unitsSeen: () => systemd.current().units,
        roster: () => roster.current().roster,
        refreshRoster: () => roster.refresh(),
        beatsFolder: (agent) => beatsFolder(agent, roster.current().env),
        ownOrderEnded: (order) => {
          if (enrolment.identity !== null) ended.add(order);
        },
        socketPath,
        shutdown,
      });

      let controllerVersion: string | null = null;
      // Own answers, whoever asks.
      const { calls, auditHeads } = await composeCalls({
        config: this.#config,
        clock,
        part,
        terminal: terminal.calls,
        enrolment,
        inventory,
        standing: () => uplink.standing,
        clockSkewMs: () => uplink.clockSkewMs,
        controllerVersion: () => controllerVersion,
        beatsFolder,
        shutdown,
      });
      const uplink = new UplinkClient({
        view,
        clock,
        log: part('uplink'),
        version: FLEET_VERSION,
        facts,
        calls,
        ended,
        auditHead: (sequence, hash) => auditHeads.told(sequence, hash),
        authorities: () => enrolment.keptAuthorities,
        trustChanged: (trustBundlePem) => {
          void enrolment
            .trustChanged(trustBundlePem)
            .then(() => renewal.look())
            .catch((error) => this.#log.error({ err: error }, 'trust bundle could not be saved'));
        },
        channels: {
          addresses: () => enrolment.identity?.addresses ?? [],
          client: (address) => {
            const identity = enrolment.identity;
            if (identity === null) throw new Error('not enrolled');
            via = address.startsWith('unix:') ? 'ssh' : 'dial';
            return uplinkChannel(address, enrolment.tls(identity), clock.nowMs);
          },
        },
        welcomed: (welcome) => {
          const { tenantId } = names();
          controllerVersion = welcome.version || null;
          void enrolment
            .welcomed(welcome)
            .then(() => renewal.look())
            .catch((error) => this.#log.error({ err: error }, 'identity could not be saved'));
          if (names().tenantId === tenantId) return;
          upstream.forget();
          beHere();
        },
      });
      const line: ControllerLine = {
        get enrolled() {
          return enrolment.identity !== null;
        },
        get standing() {
          return uplink.standing;
        },
        get channel() {
          return uplink.channel;
        },
        onChange: (listener) => uplink.onChange(listener),
      };
      const upstream = new Upstream({ view, clock, log: part('upstream'), line });
      const renewal = new Renewal({
        file: new IdentityFile(join(paths.state, 'host-agent')),
        clock,
        log: part('renewal'),
        machineId: machine,
        identity: () => enrolment.identity,
        renewed: async (identity) => {
          await enrolment.renewed(identity);
          if (uplink.standing.state !== 'connected') uplink.redial();
        },
        renew: (address, identity, expired, request, ending) =>
          callRenew(address, enrolment.tls(identity, !expired), request, clock.nowMs, ending),
      });
      // Our own word about ourselves is always fresh: it is told as often as others' beats.
      const tellOfUs = (): void => view.heard(view.hereId as string, facts(), uplink.clockSkewMs ?? 0);
      const pulse = setInterval(tellOfUs, 2_000);
      shutdown.add('pulse', () => clearInterval(pulse));
      // How it reached the controller is known with the welcome, not with the next pulse.
      using _reached = uplink.onChange(tellOfUs);
      using _refused = uplink.onChange(() => {
        if (uplink.standing.state === 'refused') renewal.nudge();
      });
      using _renamed = enrolment.onChange(() => {
        upstream.forget();
        auditHeads.forget();
        ended.forget();
        beHere();
        inventory.look();
        renewal.look();
        uplink.redial();
      });

      const lineage = procLineage();
      server.serve(
        FleetServiceService,
        localFleetService({
          view,
          upstream,
          line,
          clock,
          log: part('local'),
          version: FLEET_VERSION,
          names,
          sessionOf: (pid) => sessionOf(pid, uid, inventory.rows, lineage),
          calls,
          signal: stopping.signal,
        }),
      );
      await server.listen();
      const loops = [
        enrolment.run(stopping.signal),
        uplink.run(stopping.signal),
        upstream.run(stopping.signal),
        renewal.run(stopping.signal),
        terminal.run(stopping.signal),
      ];
      shutdown.add('loops', async () => {
        stopping.abort();
        await Promise.all(loops);
      });
      this.#log.info(
        { socket: paths.hostAgentSocket, ...names(), version: FLEET_VERSION, build },
        'host-agent started',
      );
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#log.info({ reason: String(signal.reason) }, 'host-agent stopping');
    } finally {
      stopping.abort();
      await shutdown.stop();
    }
  }
}
