/**
 * A process of simulated hosts: shipped report code over real mutual TLS, one connection each. Takes orders by IPC; ends
 * with its parent.
 */
import { SimulatedHost } from '../../helpers/simulated-host.ts';
import type { SwarmAnswer, SwarmOrder, SwarmOrders } from './orders.ts';
import { typicalRow } from './typical-row.ts';

const ENROLLING_AT_ONCE = 8;
const CHURN_TICK_MS = 20;

const hosts: { name: string; simulated: SimulatedHost; agents: number }[] = [];
let changes = 0;
let churning: NodeJS.Timeout | null = null;

const enrol = async ({ folder, agentsPerHost, hosts: wanted }: SwarmOrders['enrol']): Promise<void> => {
  const waiting = [...wanted];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const simulated = await SimulatedHost.enrol({ folder, ...next });
      for (let index = 0; index < agentsPerHost; index++) simulated.put(typicalRow(next.host, index, 0, Date.now()));
      simulated.start();
      hosts.push({ name: next.host, simulated, agents: agentsPerHost });
    }
  };
  await Promise.all(Array.from({ length: ENROLLING_AT_ONCE }, work));
};

/** The next row of the next host, as often as is due by the clock. */
const churn = ({ perSecond }: SwarmOrders['churn']): void => {
  if (churning !== null) clearInterval(churning);
  churning = null;
  if (perSecond === 0) return;
  const startMs = performance.now();
  let made = 0;
  churning = setInterval(() => {
    const due = ((performance.now() - startMs) * perSecond) / 1_000;
    for (; made < due; made++) {
      const at = hosts[made % hosts.length];
      if (at === undefined) return;
      const turn = Math.floor(made / hosts.length);
      at.simulated.put(typicalRow(at.name, turn % at.agents, turn + 1, Date.now()));
      changes += 1;
    }
  }, CHURN_TICK_MS);
};

process.on('message', async (order: SwarmOrder) => {
  if (order.order === 'enrol') await enrol(order);
  else churn(order);
  process.send?.({ done: order.order, changes } satisfies SwarmAnswer);
  changes = 0;
});
process.on('disconnect', () => process.exit(0));
