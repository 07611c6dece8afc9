/**
 * One agent that is waited for, looked at in a mirror that is kept current. What cannot be asked is never taken for
 * "gone": only a current host says that an agent is not there.
 */
import { mayBeOn, type PartialAddress } from '../../domain/address.ts';
import type { AgentRow } from '../../domain/agent-row.ts';
import type { AgentView } from '../../domain/agent-view.ts';
import { FleetError } from '../../domain/errors.ts';
import { agentView, type HostMoment } from '../../domain/make-views.ts';
import { meets, type WaitCondition } from '../../domain/wait-condition.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import { agentIn } from '../orders/change-target.ts';
import { isComplete } from '../picture.ts';
import { fine } from '../render/duration.ts';

/** How it stands; `condition` is the first of the wished ones that holds, or null. */
export interface Look {
  /** `cell/host/user/agent`; what was typed, as long as no such agent was seen. */
  address: string;
  condition: WaitCondition | null;
  agent: AgentView | null;
  /** Why nothing is known of it now; null while its row is current. */
  doubt: string | null;
}

interface Found {
  hostAgent: string;
  name: string;
  address: string;
}

/** A session that is made anew under its old name has no row for a moment. */
const RETURN_MS = 5_000;

export class AwaitedAgent {
  readonly #typed: PartialAddress;
  readonly #conditions: readonly WaitCondition[];
  #found: Found | null = null;
  #absentSinceMono: number | null = null;
  #wasCurrent = false;

  constructor(typed: PartialAddress, conditions: readonly WaitCondition[]) {
    this.#typed = typed;
    this.#conditions = conditions;
  }

  /** Its row, or that it has none, was certain at one look at least. */
  get wasCurrent(): boolean {
    return this.#wasCurrent;
  }

  /** Throws NOT_FOUND for none or several, and when it has left and that was not waited for. */
  look(mirror: ViewMirror, nowMono: number): Look {
    const found = this.#found ?? this.#find(mirror, nowMono);
    if (found === null) return this.#unseen(mirror, nowMono);
    const moment = mirror.momentOf(found.hostAgent, nowMono);
    const row = rowNamed(mirror, found.hostAgent, found.name);
    if (moment === undefined) return this.#absent(found.address, nowMono);
    const doubt = moment.current ? null : doubtOf(moment);
    if (row === undefined && doubt === null) return this.#absent(found.address, nowMono);
    this.#absentSinceMono = null;
    this.#wasCurrent ||= doubt === null;
    const agent = row === undefined ? null : agentView(row, moment);
    const condition = row === undefined || doubt !== null ? null : this.#met(row);
    return { address: found.address, condition, agent, doubt };
  }

  #met(row: AgentRow): WaitCondition | null {
    return this.#conditions.find((condition) => meets(condition, row)) ?? null;
  }

  #wishes(condition: WaitCondition): boolean {
    return this.#conditions.includes(condition);
  }

  #find(mirror: ViewMirror, nowMono: number): Found | null {
    const isThere = momentsOf(mirror, nowMono, this.#typed).some(
      ({ host }) => rowNamed(mirror, host.id, this.#typed.agent) !== undefined,
    );
    const mayBeAbsent = this.#wishes('gone') || (this.#wishes('up') && this.#typed.qualifiers.length > 0);
    if (!isThere && mayBeAbsent) return null;
    const { hostAgent, row, address } = agentIn(mirror, this.#typed, 'look');
    this.#found = { hostAgent, name: row.agent, address };
    return this.#found;
  }

  /** Nobody has such an agent: gone, if all who could have it are heard. */
  #unseen(mirror: ViewMirror, nowMono: number): Look {
    const { text } = this.#typed;
    const moments = momentsOf(mirror, nowMono, this.#typed);
    const upstream = mirror.upstreamAt(nowMono);
    if (isComplete(moments, upstream, false)) {
      this.#wasCurrent = true;
      return { address: text, condition: this.#wishes('gone') ? 'gone' : null, agent: null, doubt: null };
    }
    const silent = moments.find(({ current }) => !current);
    const why = silent ? doubtOf(silent) : `controller ${upstream?.reason ?? 'not reachable'}`;
    return { address: text, condition: null, agent: null, doubt: why };
  }

  #absent(address: string, nowMono: number): Look {
    this.#wasCurrent = true;
    this.#absentSinceMono ??= nowMono;
    const isGone = this.#wishes('gone');
    if (!isGone && !this.#wishes('up') && nowMono - this.#absentSinceMono >= RETURN_MS) {
      throw new FleetError('NOT_FOUND', `${address} is gone, so it cannot become ${this.#conditions.join(' or ')}`);
    }
    return { address, condition: isGone ? 'gone' : null, agent: null, doubt: null };
  }
}

const momentsOf = (mirror: ViewMirror, nowMono: number, typed: PartialAddress): HostMoment[] =>
  [...mirror.hostAgentIds()]
    .flatMap((id) => mirror.momentOf(id, nowMono) ?? [])
    .filter(({ host }) => mayBeOn(typed, host));

const rowNamed = (mirror: ViewMirror, hostAgent: string, name: string): AgentRow | undefined => {
  for (const { row } of mirror.rowsOf(hostAgent)) if (row.agent === name) return row;
  return undefined;
};

const doubtOf = ({ host, link, observedAgeSeconds }: HostMoment): string => {
  const state =
    link.state === 'connected' ? 'silent' : `${link.state}${link.reason === null ? '' : `, ${link.reason}`}`;
  return `${host.id} ${state}, last heard ${fine(observedAgeSeconds)} ago`;
};
