/** What a simulated host answers about its roster and its agents: a file, a journal, and outcomes that a test sets. */
import type { CallContext, OwnCalls } from '../../host-agent/calls/own-calls.ts';
import { FleetError } from '../../src/domain/errors.ts';
import { rosterDigest } from '../../src/roster/digest.ts';
import type { ControlAgentRequest, OrderOutcome } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { PutRosterRequest } from '../../src/wire/gen/fleet/v1/roster.ts';

export class RosterHost {
  text: string | null = null;
  /** Orders that were really begun, in their order: `deploy coder`. */
  readonly begun: string[] = [];
  readonly origins: CallContext['origin'][] = [];
  /** What becomes of an agent that is told something; done where it says nothing. */
  outcomes: Record<string, string> = {};
  /** Each order waits for it after it was journalled. */
  gate: (what: string) => Promise<void> = async () => {};
  readonly #journal = new Map<string, Promise<OrderOutcome>>();

  readonly calls: Partial<OwnCalls> = {
    getRoster: async () => ({
      path: '/home/u/.config/mosaic/fleet/roster.yaml',
      text: this.text ?? '',
      digest: rosterDigest(this.text),
      problem: '',
      env: [{ agent: 'coder', variables: { MOSAIC_AGENT_MODEL: 'theirs' } }],
      asOfMs: 0,
      stored: false,
      undeployed: [],
      orphans: [],
      operatorUnits: [],
      leftOver: [],
    }),
    putRoster: (request, context) => this.#once(request.id, 'roster', context, () => this.#put(request)),
    controlAgent: (request, context) => {
      const what = `${request.action} ${request.target?.key}`;
      return this.#once(request.id, what, context, () => [this.outcomes[what] ?? 'done', '']);
    },
    getOrder: async ({ id }) => {
      const outcome = await this.#journal.get(id);
      if (outcome === undefined) throw new FleetError('NOT_FOUND', 'no such order here');
      return outcome;
    },
  };

  #put({ text, expectedDigest, force }: PutRosterRequest): [string, string] {
    if (rosterDigest(this.text) !== expectedDigest && !force) return ['refused', 'roster.yaml is another by now'];
    this.text = text;
    return ['done', ''];
  }

  async #once(
    id: string,
    what: string,
    { origin }: CallContext,
    act: () => [outcome: string, reason: string],
  ): Promise<OrderOutcome> {
    const before = this.#journal.get(id);
    if (before !== undefined) return { ...(await before), repeated: true };
    this.begun.push(what);
    this.origins.push(origin);
    const ended = this.gate(what).then((): OrderOutcome => {
      const [outcome, reason] = act();
      const verb = what.split(' ')[0] as string;
      return { id, address: '', verb, outcome, reason, actor: '', beganMs: 1, endedMs: Date.now(), repeated: false };
    });
    this.#journal.set(id, ended);
    return await ended;
  }
}

export const putRoster = (hostAgent: string, text: string, over: Partial<PutRosterRequest> = {}): PutRosterRequest => ({
  id: 'roster-1',
  hostAgent,
  text,
  expectedDigest: '',
  force: false,
  timeoutMs: 5_000,
  ...over,
});

export const controlAgent = (
  hostAgent: string,
  action: string,
  agent: string,
  over: Partial<ControlAgentRequest> = {},
): ControlAgentRequest => ({
  id: `${action}-${agent}`,
  target: { hostAgent, key: `roster:${agent}`, paneId: '', panePid: 0 },
  action,
  force: false,
  timeoutMs: 5_000,
  rosterDigest: '',
  adopt: false,
  migrate: false,
  purge: false,
  ...over,
});
