import type { HostAgent } from '../domain/host-agent.ts';
import type { Changes } from '../wire/gen/fleet/v1/view.ts';
import { hostAgentToWire } from '../wire/host-agent.ts';
import type { FleetView, HostAgentRecord } from './fleet-view.ts';

/** Which host-agents this reader knows: each before its first row, though the log may have it after them. */
export class ToldHostAgents {
  readonly #view: FleetView;
  readonly #said: (agent: HostAgent) => HostAgent;
  /** To the moment of the last word that was told of it. */
  readonly #heardAtMono = new Map<string, number>();

  /** `said`: what of it this reader is told. */
  constructor(view: FleetView, said: (agent: HostAgent) => HostAgent = (agent) => agent) {
    this.#view = view;
    this.#said = said;
  }

  knows(id: string): boolean {
    return this.#heardAtMono.has(id);
  }

  /** Adds it to a frame; returns about how many bytes that takes. */
  tell(record: HostAgentRecord, changes: Changes): number {
    if (!this.#heardAtMono.has(record.id)) this.#heardAtMono.set(record.id, 0);
    changes.hostAgents.push(hostAgentToWire(this.#said(this.#view.say(record))));
    const words = [...(record.facts?.warnings ?? []), record.behind?.reason ?? ''];
    return 256 + words.reduce((sum, each) => sum + 3 * each.length, 0);
  }

  forget(id: string, changes: Changes): number {
    this.#heardAtMono.delete(id);
    changes.removedHostAgents.push(id);
    return id.length;
  }

  forgetAll(): void {
    this.#heardAtMono.clear();
  }

  /** A relayed word is older than it looks: moments are compared. */
  isNews(record: HostAgentRecord): boolean {
    const before = this.#heardAtMono.get(record.id);
    if (before === undefined || record.heardAtMono <= before) return false;
    this.#heardAtMono.set(record.id, record.heardAtMono);
    return true;
  }
}
