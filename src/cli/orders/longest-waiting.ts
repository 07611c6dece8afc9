/** Who waits for a person, out of everything that is known. Pure. */
import { encodePart } from '../../domain/address.ts';
import type { AgentView } from '../../domain/agent-view.ts';
import { agentView } from '../../domain/make-views.ts';
import type { ViewMirror } from '../client/view-mirror.ts';

export interface Waiting {
  agent: AgentView;
  /** What a person types for it: without the cell at home. */
  typed: string;
  /** `host/user`, and its row's key. */
  hostAgent: string;
  key: string;
}

/** Every agent with something to be decided; a row that is not current waits for nobody. */
export function* waitingIn(mirror: ViewMirror, nowMono: number): Generator<Waiting> {
  for (const id of mirror.hostAgentIds()) {
    const moment = mirror.momentOf(id, nowMono);
    if (!moment?.current) continue;
    for (const { row, key } of mirror.rowsOf(id)) {
      if (row.attention === null) continue;
      const agent = agentView(row, moment);
      yield { agent, typed: withoutCell(agent, mirror.cell), hostAgent: id, key };
    }
  }
}

const withoutCell = ({ address, cell }: AgentView, home: string): string =>
  cell === home ? address.slice(encodePart(cell).length + 1) : address;

/** Where it is not known since when, everybody else comes first; of two that began together, the first named. */
export const longestWaiting = (waiting: readonly Waiting[]): Waiting | null =>
  waiting.reduce<Waiting | null>(
    (longest, next) => (longest === null || waitedSeconds(next) > waitedSeconds(longest) ? next : longest),
    null,
  );

const waitedSeconds = ({ agent }: Waiting): number => agent.attention?.since_seconds ?? -1;
