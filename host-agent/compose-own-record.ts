/**
 * The wiring of what this host-agent says of itself: its facts, and the record in its view that bears them.
 * Nothing is decided here.
 */
import type { HostFacts } from '../src/domain/host-agent.ts';
import type { Composition } from '../src/runtime/composition.ts';
import { FLEET_VERSION } from '../src/runtime/version.ts';
import type { Sources } from './compose-sources.ts';
import type { HostAgentConfig } from './config.ts';
import type { Enrolment } from './enrollment/enrolment.ts';
import { hostWarnings, needsOf } from './inventory/host-facts.ts';
import { OwnRecord, type OwnRecordOptions } from './inventory/own-record.ts';
import { readHostPolicy } from './policy/host-policy.ts';
import type { RuleShelf } from './prompts/rule-shelf.ts';

export interface OwnRecordParts
  extends Pick<Composition, 'clock'>,
    Pick<OwnRecordOptions, 'view' | 'names'>,
    Pick<Sources, 'inventory' | 'systemd'>,
    Pick<HostFacts, 'build' | 'machineId'> {
  config: HostAgentConfig;
  enrolment: Enrolment;
  rules: RuleShelf;
}

export const composeOwnRecord = (parts: OwnRecordParts) => {
  const { config, view, names, inventory, systemd, enrolment, rules, build, machineId, clock } = parts;
  const { paths } = config;
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
      machineId,
      capabilities: [],
    };
  };
  const own = new OwnRecord({ view, clock, names, facts });
  /** How the controller is dialled. */
  const dialled = (how: HostFacts['via']): void => {
    via = how;
  };
  return { own, facts, dialled };
};
