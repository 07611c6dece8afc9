/**
 * What a peer tells of its agents, in the one view: under ids of three parts, with the peer's own ages, for this cell's
 * audience alone. Agents of any other cell than the peer's are dropped, and all that is beyond its limit. Never on disk.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { hostAgentId } from '../../src/domain/host-agent.ts';
import { isIdentityName } from '../../src/identity/spiffe-id.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { ViewImage } from '../../src/view/view-image.ts';
import { decodeAgentRow } from '../../src/wire/agent-row.ts';
import type { HostAgent } from '../../src/wire/gen/fleet/v1/types.ts';
import type { AgentEntry, AgentRef, Changes, WatchAgentsResponse } from '../../src/wire/gen/fleet/v1/view.ts';

export interface PeerRowsOptions {
  view: FleetView;
  clock: Clock;
  cell: string;
  limits: () => { rows: number };
  audience: () => readonly string[];
}

const MAX_HOST_AGENTS = 2_000;
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_KEY_CHARACTERS = 4_096;
/** Room that must come before the rows that were left out are asked for again. */
const ROOM = 0.9;

/** `cell/host/user`: of a peer's host-agent, in this cell's view. */
export const federatedId = (cell: string, id: string): string => `${cell}/${id}`;

/** The peer and its own id of one of its host-agents; null for one of this cell. */
export const splitFederatedId = (id: string): { cell: string; hostAgent: string } | null => {
  const parts = id.split('/');
  return parts.length === 3 ? { cell: parts[0] as string, hostAgent: parts.slice(1).join('/') } : null;
};

export class PeerRows {
  readonly #options: PeerRowsOptions;
  readonly #image: ViewImage;
  #isCut = false;
  /** Something of what it told is nothing that a peer can tell. */
  #isRefused = false;
  /** What its grants' own limits leave out. */
  #withheld = 0;

  constructor(options: PeerRowsOptions) {
    const { view, clock, cell, audience } = options;
    this.#options = options;
    const isPart = (record: HostAgentRecord): boolean => record.audience !== undefined && record.cell === cell;
    // Its own bound is never met: what is too much is left out before.
    this.#image = new ViewImage({ view, clock, isPart, audience, maxBytes: 2 * MAX_BYTES });
  }

  get resumeToken(): string {
    return this.#image.resumeToken;
  }

  /** Why less is held than it tells of; null: it is not. */
  get shortfall(): 'row limit' | 'rows refused' | null {
    if (this.#isCut || this.#withheld > 0) return 'row limit';
    return this.#isRefused ? 'rows refused' : null;
  }

  /** What was left out would fit now: a new snapshot brings it. */
  get hasRoom(): boolean {
    const { rows } = this.#options.limits();
    if (!this.#isCut || this.#records().length >= ROOM * MAX_HOST_AGENTS) return false;
    return this.count() < ROOM * rows && this.#image.bytes < ROOM * MAX_BYTES;
  }

  count(): number {
    return this.#records().reduce((sum, { id }) => sum + this.#options.view.rowsOf(id).size, 0);
  }

  /** Ids of the host-agents that are held. */
  ids(): string[] {
    return this.#records().map(({ id }) => id);
  }

  /** True for a bookmark. Throws for what no peer says; the stream is then worth nothing. */
  apply(frame: WatchAgentsResponse): boolean {
    const { cell } = this.#options;
    if (frame.opened !== undefined && frame.opened.cell !== cell) {
      throw new FleetError('FAILED_PRECONDITION', `the controller of ${cell} tells of another cell`);
    }
    if (frame.opened?.resumed === false) {
      this.#isCut = false;
      this.#isRefused = false;
    }
    if (frame.bookmark) this.#withheld = frame.bookmark.withheld ?? 0;
    const { changes, heard, ...rest } = frame;
    return this.#image.apply({
      ...rest,
      changes: changes && this.#translated(changes),
      heard: heard && {
        upstream: undefined,
        hosts: heard.hosts.map((host) => ({ ...host, hostAgent: federatedId(cell, host.hostAgent) })),
      },
    });
  }

  /** The peer cannot be heard: its rows stay, and their ages stand still. */
  unreachable(state: 'unconfirmed' | 'lost'): void {
    this.#image.unreachable(state, 'controller_unreachable');
  }

  /** A snapshot comes next, whatever is held. */
  forgetPlace(): void {
    this.#image.resumeToken = '';
  }

  /** Nothing of it is kept. */
  clear(): void {
    this.#image.clear();
    this.#isCut = false;
    this.#isRefused = false;
    this.#withheld = 0;
  }

  /** For whom they exist has changed. */
  audienceChanged(): void {
    const { view, audience } = this.#options;
    for (const { kind: _, ...record } of this.#records()) view.putHostAgent({ ...record, audience: audience() });
  }

  #records(): HostAgentRecord[] {
    const { view, cell } = this.#options;
    return [...view.hostAgents()].filter((record) => record.audience !== undefined && record.cell === cell);
  }

  #translated({ hostAgents, agents, removedAgents, removedHostAgents }: Changes): Changes {
    const { cell, view } = this.#options;
    const known = new Set(this.ids());
    const told = hostAgents
      .filter((each) => this.#isOurs(each))
      .map((each) => ({ ...each, ...this.#seenFromHere(each) }));
    if (told.length < hostAgents.length) this.#isRefused = true;
    const taken = told.filter(({ id }) => {
      const isTaken = known.has(id) || known.size < MAX_HOST_AGENTS;
      if (isTaken) known.add(id);
      return isTaken;
    });
    if (taken.length < told.length) this.#isCut = true;
    const ref = ({ hostAgent, key }: AgentRef): AgentRef => ({ hostAgent: federatedId(cell, hostAgent), key });
    return {
      hostAgents: taken,
      agents: this.#fitting(agents.filter(({ hostAgent }) => known.has(federatedId(cell, hostAgent)))),
      removedAgents: removedAgents.map(ref),
      removedHostAgents: removedHostAgents.map((id) => federatedId(cell, id)).filter((id) => view.hostAgent(id)),
    };
  }

  /** A peer's own, under a name that it can have: nothing that it was told by others. */
  #isOurs({ id, cell, host, user }: HostAgent): boolean {
    return (
      cell === this.#options.cell && isIdentityName(host) && isIdentityName(user) && id === hostAgentId(host, user)
    );
  }

  #seenFromHere({ id, tenantId }: HostAgent): Pick<HostAgent, 'id' | 'tenantId' | 'here' | 'behind'> {
    return {
      id: federatedId(this.#options.cell, id),
      tenantId: isIdentityName(tenantId) ? tenantId : '',
      here: false,
      // What it was not told is its own operators' affair.
      behind: undefined,
    };
  }

  #fitting(agents: readonly AgentEntry[]): AgentEntry[] {
    const { view, cell, limits } = this.#options;
    let rows = this.count();
    let { bytes } = this.#image;
    const added = new Set<string>();
    const fitting: AgentEntry[] = [];
    for (const { hostAgent, key, row } of agents) {
      if (!isRow(key, row)) {
        this.#isRefused = true;
        continue;
      }
      const id = federatedId(cell, hostAgent);
      const held = view.rowsOf(id).get(key)?.row.length;
      const isNew = held === undefined && !added.has(`${id}\n${key}`);
      const size = bytes + row.length - (held ?? 0);
      if (size > MAX_BYTES || (isNew && rows >= limits().rows)) {
        this.#isCut = true;
        continue;
      }
      bytes = size;
      if (isNew) rows++;
      added.add(`${id}\n${key}`);
      // A slice of the frame would keep the whole frame alive.
      fitting.push({ hostAgent: id, key, row: Buffer.from(row) });
    }
    return fitting;
  }
}

/** As a host's report is judged: bytes that are a row, under its own key. */
const isRow = (key: string, row: Uint8Array): boolean => {
  if (key.length > MAX_KEY_CHARACTERS) return false;
  try {
    return decodeAgentRow(row).key === key;
  } catch {
    return false;
  }
};
