import type { Paths } from '../../runtime/paths.ts';
import type { ExplainAgentResponse } from '../../wire/gen/fleet/v1/terminal.ts';
import { askHostAgent } from '../ask.ts';
import { explainAgent } from '../client/order-methods.ts';

/** The host reads the screen for it. */
const DEADLINE_MS = 10_000;

/** Evidence and prompt of an agent, as its own host judges them at this moment. */
export const askWhy = (
  paths: Paths,
  { hostAgent, key }: { hostAgent: string; key: string },
  signal: AbortSignal,
): Promise<ExplainAgentResponse> =>
  askHostAgent(paths, explainAgent, { hostAgent, key }, { deadlineMs: DEADLINE_MS, signal });
