/** WatchTerminal of this host's own agents: one feed for all who watch an agent, one cursor for each of them. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { streamScreen } from '../../src/screen/stream-screen.ts';
import type { OwnCalls } from '../calls/own-calls.ts';
import type { OpenCompany } from './company.ts';
import type { AgentPanes } from './ports.ts';
import type { ScreenFeeds } from './screen-feeds.ts';

export interface WatchCallOptions {
  panes: AgentPanes;
  feeds: ScreenFeeds;
  company: OpenCompany;
  clock: Clock;
}

/** Rejects with NOT_FOUND without such an agent, FAILED_PRECONDITION without a screen. */
export const watchedRow = (panes: AgentPanes, key: string): AgentRow => {
  const row = panes.row(key);
  if (row === undefined)
    throw new FleetError('NOT_FOUND', `no agent here has the key ${key}: it may have ended; fleet ps`);
  if (row.tmux === null)
    throw new FleetError(
      'FAILED_PRECONDITION',
      `${row.agent} has no session now, so no screen: fleet start ${row.agent}`,
    );
  if (row.tmux.paneId === null)
    throw new FleetError(
      'FAILED_PRECONDITION',
      `it is not known which pane of ${row.tmux.session} is ${row.agent}’s own`,
    );
  return row;
};

export const watchTerminal =
  ({ panes, feeds, company, clock }: WatchCallOptions): OwnCalls['watchTerminal'] =>
  async ({ key, minIntervalMs }, sink, { audience, signal }) => {
    watchedRow(panes, key);
    using _counted = company.join(key, audience);
    using watch = feeds.watch(key);
    await streamScreen(watch.feed, minIntervalMs, sink, clock, signal);
  };
