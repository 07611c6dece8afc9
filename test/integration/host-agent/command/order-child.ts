/** A host-agent's orders in a process of their own, to be killed: reads one JSON line, prints one for each outcome. */
import { createInterface } from 'node:readline';
import type { SendTextRequest } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import { fromHere, type KnownAgent, realOrders } from './order-ground.ts';

export interface ChildTask {
  folder: string;
  journal: string;
  agents: [string, KnownAgent][];
  requests: SendTextRequest[];
}

for await (const line of createInterface({ input: process.stdin })) {
  const { folder, journal, agents, requests } = JSON.parse(line) as ChildTask;
  const orders = realOrders(folder, new Map(agents), { journalPath: journal });
  for (const request of requests) {
    const outcome = await orders.sendText(request, fromHere());
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }
  await orders.stopped();
  break;
}
