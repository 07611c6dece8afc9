/**
 * A session that no roster names, taken as it is because the order says so: ended by its id, or its own pane begun anew
 * with what it was started with. Never another session, and never one that came after it.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { HeldBy, OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import { begun, withAlong } from './begun.ts';
import { casualtyWords } from './casualties.ts';
import { killSession, paneProcess, processGone } from './end-session.ts';
import type { LifecyclePorts, SessionPlace } from './ports.ts';
import { livingPane, proveStart } from './prove-start.ts';

const KEY = /^tmux:(.*):(\d+):[\d.]+:(\$\d+)$/s;

/** Of a row without roster entry, by its key alone; null for another's. */
export const placeOfKey = (key: string): SessionPlace | null => {
  const [, socket = '', serverPid = '', sessionId = ''] = KEY.exec(key) ?? [];
  return sessionId === '' || Number(serverPid) === 0 ? null : { socket, serverPid: Number(serverPid), sessionId };
};

export class ByPane {
  readonly #ports: LifecyclePorts;
  readonly #row: AgentRow;
  readonly #place: SessionPlace;
  readonly #request: ControlAgentRequest;
  readonly #run: OrderRun;

  /** Throws OrderEnd where its tmux server never told which one it is. */
  constructor(ports: LifecyclePorts, row: AgentRow, request: ControlAgentRequest, run: OrderRun) {
    const place = placeOfKey(row.key);
    if (place === null) throw new OrderEnd('refused', 'its tmux server does not say which process it is');
    this.#ports = ports;
    this.#row = row;
    this.#place = place;
    this.#request = request;
    this.#run = run;
  }

  async start(): Promise<OrderEnd> {
    if (livingPane(this.#ports, this.#row) !== null) return new OrderEnd('done', 'it ran already');
    return await this.#respawn();
  }

  async end(verb: 'stop' | 'restart'): Promise<OrderEnd> {
    const { writer } = this.#row;
    if (writer !== null && !this.#request.force) throw new HeldBy(writer, 'has taken it over');
    return verb === 'stop' ? await this.#stop() : await this.#respawn();
  }

  async #stop(): Promise<OrderEnd> {
    const { tmux } = this.#row;
    // Sessions of a group show the same windows, which live as long as one of them.
    const others = (tmux?.groupMembers ?? []).filter((name) => name !== tmux?.session);
    const words = casualtyWords({ sessions: others, units: [] });
    if (words !== null && !this.#request.force) {
      throw new OrderEnd('refused', `${words} of its group would end with it: --force does it all the same`);
    }
    const process = paneProcess(this.#ports, tmux);
    await this.#run.typing();
    return await begun(async () => {
      for (const place of [...this.#placesOf(others), this.#place]) await killSession(this.#ports, place, this.#run);
      await processGone(this.#ports, process, this.#run);
      return withAlong(new OrderEnd('done'), words);
    });
  }

  #placesOf(names: readonly string[]): SessionPlace[] {
    const { socket, serverPid } = this.#place;
    const server = this.#ports.servers().find((each) => each.socket === socket && each.pid === serverPid);
    const sessions = (server?.sessions ?? []).filter(({ name }) => names.includes(name));
    return sessions.map(({ id }) => ({ ...this.#place, sessionId: id }));
  }

  async #respawn(): Promise<OrderEnd> {
    const { tmux, key } = this.#row;
    if (tmux?.paneId == null || tmux.pid === null) {
      throw new OrderEnd('refused', 'which of its panes is its own is not known');
    }
    const place = { ...this.#place, paneId: tmux.paneId };
    const { sessions, clock } = this.#ports;
    const { signal } = this.#run;
    if ((await sessions.panePid(place, signal)) !== tmux.pid)
      throw new OrderEnd('gone', 'its pane is another one by now');
    const pidBefore = tmux.pid;
    const sinceMs = clock.nowMs();
    await this.#run.typing();
    return await begun(async () => {
      await sessions.respawn({ ...place, panePid: pidBefore }, signal);
      const pid = await sessions.panePid(place, signal);
      if (pid === null) return new OrderEnd('failed', 'its pane is gone');
      if (pid === pidBefore) return new OrderEnd('failed', 'tmux did not begin its program anew');
      return await proveStart(this.#ports, key, { unit: null, sinceMs, pidBefore }, this.#run);
    });
  }
}
