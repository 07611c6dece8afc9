/**
 * The wiring of the line to the controller: what is reported up, what is answered through it, and the copy of what the
 * controller lets this user see. Nothing is decided here.
 */
import type { HostFacts } from '../src/domain/host-agent.ts';
import type { Composition } from '../src/runtime/composition.ts';
import { FLEET_VERSION } from '../src/runtime/version.ts';
import type { FleetView } from '../src/view/fleet-view.ts';
import type { KeptHeads } from './audit/kept-heads.ts';
import type { OwnCalls } from './calls/own-calls.ts';
import type { Enrolment } from './enrollment/enrolment.ts';
import { type ControllerLine, Upstream } from './local/upstream.ts';
import { uplinkChannel } from './report/controller-channel.ts';
import type { EndedOrders } from './report/ended-orders.ts';
import { UplinkClient } from './report/uplink-client.ts';

export interface LineParts extends Omit<Composition, 'shutdown'> {
  view: FleetView;
  facts(): HostFacts;
  calls: OwnCalls;
  ended: EndedOrders;
  auditHeads: KeptHeads;
  enrolment: Enrolment;
  /** The controller is dialled so. */
  dialled(via: HostFacts['via']): void;
  /** What the controller said is kept: whom to trust may be another now. */
  trustKept(): void;
  /** The controller counts this host to another tenant: what it held is not for its eyes. */
  tenantChanged(): void;
}

export const composeLine = (parts: LineParts) => {
  const { view, facts, calls, ended, auditHeads, enrolment, clock, part } = parts;
  let controllerVersion: string | null = null;
  const kept = (saving: Promise<void>, what: string): void => {
    saving
      .then(() => parts.trustKept())
      .catch((error) => part('enrolment').error({ err: error }, `${what} could not be saved`));
  };
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
    trustChanged: (trustBundlePem) => kept(enrolment.trustChanged(trustBundlePem), 'trust bundle'),
    channels: {
      addresses: () => enrolment.identity?.addresses ?? [],
      client: (address) => {
        const identity = enrolment.identity;
        if (identity === null) throw new Error('not enrolled');
        parts.dialled(address.startsWith('unix:') ? 'ssh' : 'dial');
        return uplinkChannel(address, enrolment.tls(identity), clock.nowMs);
      },
    },
    // That is no line that broke: what it held is not for its eyes.
    revoked: () => upstream.forget(),
    welcomed: (welcome) => {
      const before = enrolment.identity?.tenantId;
      controllerVersion = welcome.version || null;
      kept(enrolment.welcomed(welcome), 'identity');
      if (enrolment.identity?.tenantId === before) return;
      upstream.forget();
      parts.tenantChanged();
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
  return { uplink, line, upstream, controllerVersion: () => controllerVersion };
};
