import type { HeldPlace } from '../../src/domain/desired-plan.ts';
import type { RosterAgent } from '../../src/domain/roster.ts';

/** The plainest agent of a roster, to be changed where a test needs it. */
export const rosterAgent = (name: string, over: Partial<RosterAgent> = {}): RosterAgent => ({
  name,
  runtime: 'pi',
  role: null,
  host: null,
  user: null,
  ssh: null,
  socketName: null,
  model: null,
  effort: null,
  lifecycle: null,
  workingDirectory: '~/src',
  command: null,
  env: new Map(),
  layout: 'isolated',
  connector: null,
  restart: null,
  envFile: null,
  ...over,
});

/** A place with nothing on it, likewise. */
export const heldPlace = (host: string, user: string, over: Partial<HeldPlace> = {}): HeldPlace => ({
  id: `${host}/${user}`,
  host,
  user,
  tenantId: 't',
  here: false,
  alsoCalled: [],
  rows: [],
  roster: null,
  env: null,
  ...over,
});
