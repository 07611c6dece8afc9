import type { Behind } from '../../../src/domain/intent.ts';
import { rosterDigest } from '../../../src/roster/digest.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { IntentState, IntentStep, PutIntentRequest } from '../../../src/wire/gen/fleet/v1/intent.ts';
import { controlAgent, putRoster, RosterHost } from '../../helpers/roster-host.ts';
import { type HostWish, SimulatedCell } from '../../helpers/simulated-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

export const SOON = { timeoutMs: 30_000 };
export const DRAGON = 'dragon-lin/u';
export const TEXT = 'version: 2\nagents: [{ name: coder, runtime: pi }] # my secret plan\n';

export const STEPS: IntentStep[] = [
  { controlAgent: controlAgent(DRAGON, 'remove', 'old') },
  { putRoster: putRoster(DRAGON, TEXT) },
  { controlAgent: controlAgent(DRAGON, 'deploy', 'coder', { rosterDigest: rosterDigest(TEXT) }) },
];

export class IntentGround {
  cell: SimulatedCell;
  /** What the host does of what it is told. */
  readonly there = new RosterHost();

  private constructor(cell: SimulatedCell) {
    this.cell = cell;
  }

  static async start(): Promise<IntentGround> {
    return new IntentGround(await SimulatedCell.start());
  }

  end(): Promise<void> {
    return this.cell.end();
  }

  /** The host, known and not connected until it is started. */
  away(wish: HostWish = {}): Promise<SimulatedHost> {
    return this.cell.away('dragon-lin', { calls: this.there.calls, ...wish });
  }

  give(over: Partial<PutIntentRequest> = {}, client: FleetServiceClient = this.cell.admin()): Promise<IntentState> {
    const intent = { id: 'intent-1', hostAgent: DRAGON, expiresMs: 0, steps: STEPS, ...over };
    return unary((done) => client.putIntent(intent, done));
  }

  look(client = this.cell.admin()): Promise<IntentState> {
    return unary((done) => client.getIntent({ hostAgent: DRAGON }, done));
  }

  /** As it stands once nothing more will be given. */
  over(): Promise<IntentState> {
    return until(async () => {
      const state = await this.look();
      return ['waiting', 'running'].includes(state.state) ? null : state;
    }, SOON);
  }

  async behind(): Promise<Behind | null | undefined> {
    return (await this.cell.controller.view()).momentOf(DRAGON, 0)?.host.behind;
  }
}
