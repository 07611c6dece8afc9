/**
 * The wiring diagram of the host-agent: sources ─▶ inventory ─▶ view ─▶ report and local service.
 * Nothing is decided here.
 */
import { join } from 'node:path';
import { machineId } from '../src/identity/machine-id.ts';
import { aborted } from '../src/runtime/aborted.ts';
import { systemClock } from '../src/runtime/clock.ts';
import type { Composition } from '../src/runtime/composition.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { Shutdown } from '../src/runtime/shutdown.ts';
import { ownFolder } from '../src/runtime/socket-claim.ts';
import { FLEET_VERSION, installedBuild } from '../src/runtime/version.ts';
import { FleetView } from '../src/view/fleet-view.ts';
import { FleetServiceService } from '../src/wire/gen/fleet/v1/fleet.ts';
import { composeCalls } from './compose-calls.ts';
import { composeEnrolment } from './compose-enrolment.ts';
import { composeLine } from './compose-line.ts';
import { composeOwnRecord } from './compose-own-record.ts';
import { composeSources } from './compose-sources.ts';
import { composeTerminal } from './compose-terminal.ts';
import type { HostAgentConfig } from './config.ts';
import { sessionOf } from './inventory/session-of.ts';
import { localFleetService } from './local/fleet-service.ts';
import { LocalServer } from './local/local-server.ts';
import { procLineage } from './process/lineage.ts';
import { RuleShelf } from './prompts/rule-shelf.ts';
import { EndedOrders } from './report/ended-orders.ts';

const PULSE_MS = 2_000;

export class HostAgent {
  readonly #config: HostAgentConfig;
  readonly #log: Logger;

  constructor(config: HostAgentConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
  }

  /** Runs until the signal aborts, then stops its parts in reverse. */
  async run(signal: AbortSignal): Promise<void> {
    const config = this.#config;
    const { paths, uid } = config;
    const clock = systemClock;
    const part = (component: string): Logger => this.#log.child({ component });
    const shutdown = new Shutdown(part('shutdown'));
    const common: Composition = { clock, part, shutdown };
    const stopping = new AbortController();
    const view = new FleetView({ clock });
    const machine = machineId(paths.instance);
    const build = installedBuild() ?? '';
    ownFolder(paths.state);
    ownFolder(join(paths.state, 'host-agent'));

    const server = new LocalServer(paths.hostAgentSocket);
    try {
      const { enrolment, renewal, names } = await composeEnrolment({
        config,
        machineId: machine,
        renewed: () => {
          if (uplink.standing.state !== 'connected') uplink.redial();
        },
        ...common,
      });
      // Somebody else may hold the socket: find out before anything is watched.
      await server.claim();
      shutdown.add('local server', () => server.stop());

      using sources = composeSources({ config, view, names, ...common });
      const { inventory, systemd } = sources;
      const rules = new RuleShelf(paths.config, clock);
      const { own, facts, dialled } = composeOwnRecord({
        config,
        view,
        names,
        inventory,
        systemd,
        enrolment,
        rules,
        build,
        machineId: machine,
        clock,
      });
      own.be();
      await inventory.start(stopping.signal);
      own.tell(0);

      const ended = new EndedOrders();
      using terminal = composeTerminal({
        paths,
        uid,
        names,
        sources,
        rules,
        ownOrderEnded: (order) => {
          if (enrolment.identity !== null) ended.add(order);
        },
        ...common,
      });
      // Own answers, whoever asks.
      const { calls, auditHeads } = await composeCalls({
        config,
        terminal: terminal.calls,
        enrolment,
        inventory,
        standing: () => uplink.standing,
        clockSkewMs: () => uplink.clockSkewMs,
        controllerVersion: () => controllerVersion(),
        beatsFolder: sources.beatsFolder,
        ...common,
      });
      const { uplink, line, upstream, controllerVersion } = composeLine({
        view,
        facts,
        calls,
        ended,
        auditHeads,
        enrolment,
        dialled,
        trustKept: () => renewal.look(),
        tenantChanged: () => own.be(),
        ...common,
      });
      // Told as often as others' beats.
      const tellOfUs = (): void => own.tell(uplink.clockSkewMs ?? 0);
      const pulse = setInterval(tellOfUs, PULSE_MS);
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
        own.be();
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
      await aborted(signal);
      this.#log.info({ reason: String(signal.reason) }, 'host-agent stopping');
    } finally {
      stopping.abort();
      await shutdown.stop();
    }
  }
}
