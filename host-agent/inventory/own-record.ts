/**
 * This host-agent's own record in its view, under the name that it has now. Its word about itself is always fresh.
 */
import { type HostFacts, hostAgentId } from '../../src/domain/host-agent.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';

export interface OwnRecordOptions {
  view: FleetView;
  clock: Clock;
  names(): { cell: string; host: string; user: string; tenantId: string };
  facts(): HostFacts;
}

export class OwnRecord {
  readonly #options: OwnRecordOptions;

  constructor(options: OwnRecordOptions) {
    this.#options = options;
  }

  /** Begins, or goes on under another name: what had the one before is gone. */
  be(): void {
    const { view, clock, names, facts } = this.#options;
    const { cell, host, user, tenantId } = names();
    const id = hostAgentId(host, user);
    const before = view.hereId;
    if (before !== null && before !== id) view.removeHostAgent(before);
    const now = clock.monotonicMs();
    view.putHostAgent({
      id,
      cell,
      host,
      user,
      tenantId,
      here: true,
      linkState: 'connected',
      linkReason: null,
      linkSinceMono: now,
      facts: facts(),
      heardAtMono: now,
      clockSkewMs: 0,
      behind: null,
    });
  }

  tell(clockSkewMs: number): void {
    const { view, facts } = this.#options;
    view.heard(view.hereId as string, facts(), clockSkewMs);
  }
}
