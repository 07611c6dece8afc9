/** Two cells of real programs: `home` asks, `acme` owns and grants; each can be frozen and begun anew, and so can the line between. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { allowVerbs, controllerStatus, listen } from '../../src/cli/client/admin-methods.ts';
import { addGrant } from '../../src/cli/client/grant-methods.ts';
import { acceptPeer, invitePeer } from '../../src/cli/client/peer-methods.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { CellProcess } from './cell-process.ts';
import { FaultProxy } from './fault-proxy.ts';
import { until } from './until.ts';

const SOON = { timeoutMs: 90_000 };
const DEADLINE = { deadlineMs: 20_000 };

export class CellsInFault {
  home!: CellProcess;
  acme!: CellProcess;
  /** What home dials. */
  line!: FaultProxy;

  /** Home's own host may send and control elsewhere, and acme grants and allows it. */
  async start(): Promise<void> {
    const home = await CellProcess.start('home', 'W-jarvis');
    this.home = home;
    const acme = await CellProcess.start('acme', 'acme-1', 'lifecycle');
    this.acme = acme;
    const port = await acme.admin(async (channel) => {
      const { listening } = await channel.unary(controllerStatus, {}, DEADLINE);
      return Number(listening[0]?.split(':').at(-1));
    });
    const line = await FaultProxy.start({ host: '127.0.0.1', port });
    this.line = line;
    const token = await acme.admin(async (channel) => {
      const address = { address: `127.0.0.1:${port}`, advertise: [`127.0.0.1:${line.port}`] };
      await channel.unary(listen, address, DEADLINE);
      return (await channel.unary(invitePeer, { cell: 'home', tenants: [], validSeconds: 0 }, DEADLINE)).token;
    });
    await home.admin(async (channel) => {
      await channel.unary(acceptPeer, { token, tenants: [] }, DEADLINE);
      await channel.unary(allowVerbs, { host: home.host, user: '', verbs: ['send', 'lifecycle'] }, DEADLINE);
    });
    const grant = { peer: 'home', tenants: ['default'], hosts: ['*'], agents: ['*'], rowLimit: 0, dryRun: false };
    const verbs = ['observe', 'watch', 'send', 'lifecycle'];
    await acme.admin((channel) => channel.unary(addGrant, { ...grant, verbs, validMs: 3_600_000 }, DEADLINE));
  }

  addressOf(name: string): string {
    return `acme/${this.acme.id}/${name}`;
  }

  /** Of an agent of acme as home shows it, and how the line stands there; `row` is null where home shows none. */
  async seen(name: string) {
    const mirror = await this.home.snapshot();
    const id = `acme/${this.acme.id}`;
    const now = systemClock.monotonicMs();
    const moment = mirror.momentOf(id, now);
    const row = [...mirror.rowsOf(id)].find(({ row: { agent } }) => agent === name)?.row ?? null;
    const peer = mirror.upstreamAt(now)?.peers.find(({ cell }) => cell === 'acme')?.state ?? null;
    return { row, current: moment?.current ?? false, link: moment?.link.state ?? null, peer };
  }

  async untilCurrent(name: string, runtime: string | null = null): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      const { row, current, link, peer } = await this.seen(name);
      if (current && row !== null && (runtime === null || row.runtimeSeen === runtime)) return true;
      throw new Error(`${name}: ${JSON.stringify({ current, link, peer, runtime: row?.runtimeSeen })}`);
    };
    await until(isThere, SOON);
  }

  /** Whatever a test left as it was. */
  async mend(): Promise<void> {
    this.line.mend();
    for (const { controller, hostAgent } of [this.home, this.acme]) {
      controller.thaw();
      hostAgent.thaw();
    }
    for (const cell of [this.home, this.acme]) if (!cell.controller.runs) await cell.startController();
  }

  async end(): Promise<void> {
    await this.line?.stop();
    await this.home?.remove();
    await this.acme?.remove();
  }
}

/** Registers the hooks of a file: both cells begin once, and after each test they are mended. */
export const cellsInFault = (): CellsInFault => {
  const cells = new CellsInFault();
  beforeAll(() => cells.start(), 180_000);
  afterEach(() => cells.mend());
  afterAll(() => cells.end());
  return cells;
};
