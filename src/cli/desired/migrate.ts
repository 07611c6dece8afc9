/**
 * `fleet apply --migrate`: agents of a shared tmux server get one of their own, one after the other. Each is written into the
 * roster by itself and moved by itself, so that wherever it ends the roster says what is so; it ends where one fails.
 */
import { cleanText } from '../../domain/clean-text.ts';
import type { PlanStep } from '../../domain/desired-plan.ts';
import { FleetError } from '../../domain/errors.ts';
import { placeNamed } from '../../domain/placement.ts';
import type { RosterAgent } from '../../domain/roster.ts';
import { rosterDigest } from '../../roster/digest.ts';
import { migratedRoster } from '../../roster/edit/migrated-roster.ts';
import { HOST, parseRoster } from '../../roster/parse.ts';
import { RosterText } from '../../roster/roster-text.ts';
import { systemClock } from '../../runtime/clock.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { UsageError } from '../usage-error.ts';
import { runChange } from './change-run.ts';
import { isAgentOf, placesOf } from './held-places.ts';
import type { HeldRoster } from './held-rosters.ts';
import { type InHand, takeInHand } from './in-hand.ts';
import type { Errand } from './place-work.ts';

/** The value of the flag where it stands alone. */
const EVERY_AGENT = 'all';

export const migrateAgents = async (context: CommandContext): Promise<number> => {
  const { flags } = context;
  if (flags.file !== undefined)
    throw new UsageError(
      '--migrate changes the roster in force on its host: leave -f out, and apply the file afterwards',
    );
  const hand = await placeInHand(context, (flags.host as string[] | undefined) ?? []);
  const moving = chosen(hand, flags.migrate as string);
  const errands = errandsOf(hand, moving);
  const steps = errands.flatMap((errand) => (errand.kind === 'work' ? errand.deploys : errand.steps));
  const plan = { places: [{ place: hand.place, steps }], unplaced: [] };
  return await runChange(context, {
    cell: hand.mirror.cell,
    roster: hand.held.path,
    plan,
    errands,
    oneByOne: true,
    isCurrent: () => true,
    age: () => null,
    migrate: true,
  });
};

const placeInHand = async (context: CommandContext, hosts: readonly string[]): Promise<InHand> => {
  const { paths, signal } = context;
  if (hosts.length > 1) throw new UsageError('--migrate goes host by host: name one');
  const localOnly = hosts.length === 0;
  const mirror = await takeSnapshot(paths, { localOnly, hostsOnly: false, clock: systemClock, signal });
  const now = systemClock.monotonicMs();
  const [, user = null, host = null] = HOST.exec(hosts[0] ?? '') ?? [];
  const found = placeNamed({ host, user }, placesOf(mirror, now));
  if (typeof found === 'string') throw new FleetError('NOT_FOUND', cleanText(found));
  return await takeInHand(context, mirror, now, found.id);
};

const chosen = ({ held, place }: InHand, names: string): RosterAgent[] => {
  const own = (held.agents ?? []).filter((agent) => isAgentOf(agent, place));
  // One whose roster was written is not moved for that.
  const isShared = ({ name, layout }: RosterAgent): boolean =>
    layout === 'shared' || held.undeployed.get(name)?.moves === true;
  if (names === EVERY_AGENT) return own.filter(isShared);
  return names.split(',').flatMap((name) => {
    const agent = own.find((each) => each.name === name);
    if (agent === undefined) throw new FleetError('NOT_FOUND', `no agent "${name}" in ${held.path}`);
    return isShared(agent) ? [agent] : [];
  });
};

/** Each finds the roster as the one before left it. One that cannot be moved stays, and hinders no other. */
const errandsOf = ({ held, place }: InHand, moving: readonly RosterAgent[]): Errand[] => {
  let now: HeldRoster = held;
  return moving.map((agent) => {
    const before = now;
    const text = before.text ?? new RosterText('');
    const { roster } = parseRoster(text, before.path);
    if (roster === null) throw new FleetError('FAILED_PRECONDITION', before.problem ?? before.path);
    const moved = roster.agents.filter((each) => each.name === agent.name && isAgentOf(each, place));
    const changed = migratedRoster(text, roster, moved);
    const put = changed === text.text ? null : changed;
    const next = new RosterText(changed);
    const after = parseRoster(next, before.path);
    if (after.roster === null) {
      const reason = `it stays on its shared server: in a roster of servers of their own, ${after.problem}`;
      return { kind: 'refused', place, steps: [stepOf(agent, reason)], reason, exitCode: EXIT.refused };
    }
    now = { ...before, text: next, digest: rosterDigest(changed), agents: after.roster.agents };
    return {
      kind: 'work',
      place,
      held: before,
      away: null,
      put,
      force: false,
      removes: [],
      deploys: [stepOf(agent, null)],
    };
  });
};

/** `refused`: why it stays where it is. */
const stepOf = ({ name }: RosterAgent, refused: string | null): PlanStep => ({
  action: 'change',
  agent: name,
  changes: [{ field: 'layout', from: 'shared', to: 'isolated' }],
  launch: refused === null ? 'restart' : null,
  because: refused ?? 'into a tmux server of its own',
  overrides: [],
});
