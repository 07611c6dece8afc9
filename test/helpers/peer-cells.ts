/** Two running controllers that are peers: `home` asks, `partner` owns and grants. The line between them can be cut. */

import { addTenant, controllerStatus, listen } from '../../src/cli/client/admin-methods.ts';
import { addGrant, revokeGrant } from '../../src/cli/client/grant-methods.ts';
import { acceptPeer, invitePeer, listPeers, removePeer } from '../../src/cli/client/peer-methods.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { AddGrantRequest } from '../../src/wire/gen/fleet/v1/grants.ts';
import type { Peer } from '../../src/wire/gen/fleet/v1/peers.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { SimulatedCell } from './simulated-cell.ts';
import { until } from './until.ts';

const DEADLINE = { deadlineMs: 20_000 };
const SOON = { timeoutMs: 30_000 };

export class PeerCells {
  readonly home: SimulatedCell;
  readonly partner: SimulatedCell;
  /** What home dials. */
  readonly line: FaultProxy;

  private constructor(home: SimulatedCell, partner: SimulatedCell, line: FaultProxy) {
    this.home = home;
    this.partner = partner;
    this.line = line;
  }

  /** `clock`: home's. */
  static async start({ clock, ...options }: { tenants?: string[]; clock?: Clock } = {}): Promise<PeerCells> {
    const [home, partner] = await Promise.all([
      SimulatedCell.start(clock === undefined ? {} : { clock }),
      SimulatedCell.start({ argv: ['--cell', 'partner'] }),
    ]);
    const line = await partner.proxy();
    const cells = new PeerCells(home, partner, line);
    await partner.controller.admin(async (channel) => {
      const { listening } = await channel.unary(controllerStatus, {}, DEADLINE);
      const request = { address: listening[0] as string, advertise: [`127.0.0.1:${line.port}`] };
      await channel.unary(listen, request, DEADLINE);
    });
    await cells.join(options.tenants);
    return cells;
  }

  async join(tenants: string[] = []): Promise<void> {
    const { token } = await this.partner.controller.admin((channel) =>
      channel.unary(invitePeer, { cell: 'home', tenants: [], validSeconds: 0 }, DEADLINE),
    );
    await this.home.controller.admin(async (channel) => {
      for (const tenantId of tenants) await channel.unary(addTenant, { tenantId }, DEADLINE);
      await channel.unary(acceptPeer, { token, tenants }, DEADLINE);
    });
  }

  /** Of partner's agents, to home; its id. */
  async grant(verbs: string[], wish: Partial<AddGrantRequest> = {}): Promise<string> {
    const steers = verbs.some((verb) => ['send', 'lifecycle', 'takeover'].includes(verb));
    const request = {
      peer: 'home',
      tenants: ['default'],
      hosts: ['*'],
      agents: ['*'],
      verbs,
      rowLimit: 0,
      validMs: steers ? 3_600_000 : 0,
      dryRun: false,
      ...wish,
    };
    const { grant } = await this.partner.controller.admin((channel) => channel.unary(addGrant, request, DEADLINE));
    return grant?.id ?? '';
  }

  async revoke(id: string): Promise<void> {
    await this.partner.controller.admin((channel) => channel.unary(revokeGrant, { id }, DEADLINE));
  }

  async remove(by: SimulatedCell, cell: string): Promise<void> {
    await by.controller.admin((channel) => channel.unary(removePeer, { cell, any: false }, DEADLINE));
  }

  /** As one side's administrator is told of the other. */
  async peer(of: SimulatedCell = this.home): Promise<Peer | undefined> {
    const { peers } = await of.controller.admin((channel) => channel.unary(listPeers, {}, DEADLINE));
    return peers[0];
  }

  /** Keys of the rows that home shows of one of partner's hosts; null: it shows no such host. */
  async rows(host = 'dragon-lin'): Promise<string[] | null> {
    const view = await this.home.controller.view();
    const id = `partner/${host}/u`;
    return [...view.hostAgentIds()].includes(id) ? [...view.rowsOf(id)].map(({ key }) => key).sort() : null;
  }

  async untilRows(count: number, host = 'dragon-lin'): Promise<void> {
    await until(async () => ((await this.rows(host)) ?? []).length === count, SOON);
  }

  async end(): Promise<void> {
    await this.home.end();
    await this.partner.end();
  }
}
