/**
 * A peer that means harm: cell `partner`, joined by a real invitation, with a door and certificates like any other, and a
 * WatchAgents that says what a test likes.
 */

import { LOCAL_CALLER } from '../../controller/tenancy/caller.ts';
import { invitePeer } from '../../src/cli/client/peer-methods.ts';
import { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { WatchAgentsRequest, WatchAgentsResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import { noneServed } from './not-served.ts';
import type { SimulatedCell } from './simulated-cell.ts';
import { TestCell } from './test-cell.ts';

const CALLER = { name: 'home', role: 'viewer', tenantId: '', kind: 'controller' };
export const OPENED: WatchAgentsResponse = { opened: { cell: 'partner', resumed: false, caller: CALLER } };
export const BOOKMARK: WatchAgentsResponse = { bookmark: { resumeToken: 't', upstream: undefined } };

export interface ToldStream {
  request: WatchAgentsRequest;
  /** Resolves when there is room for more; false: the other side left. */
  say(frame: WatchAgentsResponse): Promise<boolean>;
  /** Aborted when the other side left. */
  signal: AbortSignal;
}

export class HostilePeer {
  readonly cell: TestCell;
  /** Times at which it was asked for its rows. */
  readonly asked: number[] = [];

  private constructor(cell: TestCell) {
    this.cell = cell;
  }

  /** `tell` is each stream; how it settles is how that ends. */
  static async joined(home: SimulatedCell, tell: (stream: ToldStream) => Promise<void>): Promise<HostilePeer> {
    const cell = await new TestCell({ cell: 'partner' }).start();
    const peer = new HostilePeer(cell);
    cell.server.addService(FleetServiceService, {
      ...noneServed(Object.keys(FleetServiceService)),
      watchAgents: async (_caller: unknown, request: WatchAgentsRequest, call: Writable, { signal }: Context) => {
        peer.asked.push(performance.now());
        await tell({ request, signal, say: (frame) => said(call, frame, signal) });
      },
    } as never);
    await cell.open();
    const { token } = await home.controller.ask(invitePeer, { cell: 'partner', tenants: [], validSeconds: 0 });
    const context = { id: 't', signal: new AbortController().signal };
    await cell.federation.admin.acceptPeer(LOCAL_CALLER, { token, tenants: [] }, context);
    return peer;
  }

  async end(): Promise<void> {
    await this.cell.stop();
  }
}

interface Context {
  signal: AbortSignal;
}

interface Writable {
  write(frame: WatchAgentsResponse): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

const said = async (call: Writable, frame: WatchAgentsResponse, signal: AbortSignal): Promise<boolean> => {
  if (signal.aborted) return false;
  if (call.write(frame)) return true;
  return await new Promise((resolve) => {
    call.once('drain', () => resolve(true));
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });
};
