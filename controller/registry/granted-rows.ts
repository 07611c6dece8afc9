/**
 * What one peer's stream is told of rows: those that it may observe, up to the limit of the grant by which it does, without a
 * word of a screen where it may not watch. Rows come and go as names and grants say, whatever becomes of their agents.
 */
import type { CompiledGrant, GrantSet } from '../../src/domain/grant.ts';
import type { HostAgent } from '../../src/domain/host-agent.ts';
import type { AgentRecord, FleetView } from '../../src/view/fleet-view.ts';
import type { ViewLens } from '../../src/view/view-stream.ts';
import { rowMarksOf, withWriter } from '../../src/wire/agent-row.ts';
import { withoutScreenText } from '../../src/wire/without-screen-text.ts';
import { agentPlaceOf } from '../tenancy/granted.ts';

interface Shown {
  grant: string;
  hostAgent: string;
  needs: boolean;
}

interface Figures {
  agents: number;
  needs: number;
}

const NOTHING: Readonly<Figures> = { agents: 0, needs: 0 };
const sameFigures = (a: Figures = NOTHING, b: Figures = NOTHING): boolean =>
  a.agents === b.agents && a.needs === b.needs;

/** One copy for all streams, for as long as the row is held. */
const withoutText = new WeakMap<Buffer, Buffer>();

export class GrantedRows implements ViewLens {
  readonly #view: Pick<FleetView, 'rowsOf'>;
  /** As they were when the stream began: it ends when they change. */
  readonly #grants: GrantSet;
  readonly #named: (name: string) => string;
  readonly #shown = new Map<string, Shown>();
  readonly #told = new Map<string, number>();
  /** There is no room for them; in the order in which they came. */
  readonly #withheld = new Map<string, AgentRecord>();
  readonly #figures = new Map<string, Figures>();
  readonly #said = new Map<string, Figures>();
  /** Whose figures may be others than were said. */
  readonly #counted = new Set<string>();
  #hasRoom = false;

  /** `named`: how people are named to this peer. */
  constructor(view: Pick<FleetView, 'rowsOf'>, grants: GrantSet, named: (name: string) => string) {
    this.#view = view;
    this.#grants = grants;
    this.#named = named;
  }

  get withheld(): number {
    return this.#withheld.size;
  }

  judge(record: AgentRecord, removed: boolean): 'tell' | 'remove' | 'hide' {
    const name = `${record.hostAgent}\n${record.key}`;
    const before = this.#shown.get(name);
    const place = removed ? null : agentPlaceOf(record);
    const grants = place === null ? [] : this.#grants.observing(place);
    this.#withheld.delete(name);
    if (before !== undefined) this.#hide(name, before);
    const grant = grants.find((each) => this.#hasRoomBy(each));
    if (grant !== undefined) {
      this.#show(name, { grant: grant.id, hostAgent: record.hostAgent, needs: rowMarksOf(record.row).needs });
      return 'tell';
    }
    if (grants.length > 0) this.#withheld.set(name, record);
    return before === undefined ? 'hide' : 'remove';
  }

  release(): AgentRecord | null {
    if (this.#hasRoom && this.#grants.grants.some((grant) => this.#hasRoomBy(grant))) {
      for (const [name, { hostAgent, key }] of [...this.#withheld]) {
        const record = this.#view.rowsOf(hostAgent).get(key);
        if (record === undefined) this.#withheld.delete(name);
        else if (this.judge(record, false) === 'tell') return record;
      }
    }
    this.#hasRoom = false;
    return null;
  }

  restated(): string | null {
    for (const hostAgent of this.#counted) {
      this.#counted.delete(hostAgent);
      if (!sameFigures(this.#figures.get(hostAgent), this.#said.get(hostAgent))) return hostAgent;
    }
    return null;
  }

  forget(hostAgent?: string): void {
    for (const [name, shown] of this.#shown) {
      if (hostAgent === undefined || shown.hostAgent === hostAgent) this.#hide(name, shown);
    }
    for (const [name, record] of this.#withheld) {
      if (hostAgent === undefined || record.hostAgent === hostAgent) this.#withheld.delete(name);
    }
  }

  bytesOf(record: AgentRecord): Buffer {
    const { writer } = rowMarksOf(record.row);
    const bytes = this.#textOf(record);
    const name = writer === '' ? '' : this.#named(writer);
    return name === writer ? bytes : withWriter(bytes, name);
  }

  /** What tells of this cell's own affairs, or counts agents that are not shown, is left out. */
  said(agent: HostAgent): HostAgent {
    const { agents, needs } = this.#figures.get(agent.id) ?? NOTHING;
    this.#said.set(agent.id, { agents, needs });
    const facts = agent.facts && {
      hostNowMs: agent.facts.hostNowMs,
      version: '',
      build: '',
      control: '',
      warnings: [],
      certificateNotAfterMs: null,
      via: null,
      agents,
      needs,
      machineId: '',
      capabilities: [],
    };
    return { ...agent, facts, clockSkewMs: null, behind: null, quarantined: false };
  }

  #textOf(record: AgentRecord): Buffer {
    const place = agentPlaceOf(record);
    if (place !== null && this.#grants.allows('watch', place)) return record.row;
    const bytes = withoutText.get(record.row) ?? withoutScreenText(record.row);
    withoutText.set(record.row, bytes);
    return bytes;
  }

  #hasRoomBy({ id, rowLimit }: CompiledGrant): boolean {
    return (this.#told.get(id) ?? 0) < rowLimit;
  }

  #show(name: string, shown: Shown): void {
    this.#shown.set(name, shown);
    this.#told.set(shown.grant, (this.#told.get(shown.grant) ?? 0) + 1);
    this.#count(shown, 1);
  }

  #hide(name: string, shown: Shown): void {
    this.#shown.delete(name);
    this.#told.set(shown.grant, (this.#told.get(shown.grant) ?? 1) - 1);
    this.#hasRoom = this.#withheld.size > 0;
    this.#count(shown, -1);
  }

  #count({ hostAgent, needs }: Shown, by: 1 | -1): void {
    const figures = this.#figures.get(hostAgent) ?? { ...NOTHING };
    figures.agents += by;
    figures.needs += needs ? by : 0;
    this.#figures.set(hostAgent, figures);
    this.#counted.add(hostAgent);
  }
}
