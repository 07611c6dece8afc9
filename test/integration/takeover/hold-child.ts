/** A host-agent's takeover in a process of its own, to be killed: reads one JSON line, prints one for each event. */
import { createInterface } from 'node:readline';
import type { HoldTerminalResponse } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { fromHere, type KnownAgent } from '../host-agent/command/order-ground.ts';
import { takeoverOf } from './hold-ground.ts';

export interface HoldTask {
  folder: string;
  agent: KnownAgent;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { folder, agent } = JSON.parse(line) as HoldTask;
  const { key, paneId, panePid } = agent.pane;
  const target = { hostAgent: 'W-jarvis/jarvis', key, paneId, panePid };
  const sink = {
    write: (message: HoldTerminalResponse) => process.stdout.write(`${JSON.stringify(message)}\n`) || true,
    drained: async () => undefined,
  };
  const request = { id: 'held-elsewhere', target, takeover: false, width: 0, height: 0 };
  await takeoverOf(folder, new Map([[key, agent]])).holdTerminal(request, sink, fromHere());
}
