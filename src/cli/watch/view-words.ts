/** What is said of a watched screen beside its picture: its size, how it is heard, who looks and who types. */
import { cleanText } from '../../domain/clean-text.ts';
import type { TerminalEnd } from '../../wire/gen/fleet/v1/terminal.ts';
import { fine } from '../render/duration.ts';
import type { Offset, Size } from './pan.ts';
import type { WatchedAgent } from './watched-agent.ts';

/** Silent for longer than this: the picture may not be what the screen shows. */
export const SILENT_MS = 5_000;

/** Whether the picture is what the screen shows, as far as is known. */
export const isCurrent = (agent: WatchedAgent, nowMono: number): boolean =>
  agent.end === null &&
  agent.failure === null &&
  agent.connection.state === 'live' &&
  agent.picture !== null &&
  agent.silentMs(nowMono) <= SILENT_MS &&
  !isLinkDown(agent);

const isLinkDown = ({ status }: WatchedAgent): boolean => {
  const state = status?.link?.state;
  return state === 'lost' || state === 'resuming';
};

/** `live`, `polled`, `no data for 7s (resuming: silent)`, `ended: …`. */
export const currencyWords = (agent: WatchedAgent, nowMono: number): string => {
  if (agent.end) return endWords(agent.end);
  if (agent.failure) return agent.failure.message;
  const silentMs = agent.silentMs(nowMono);
  if (agent.connection.state === 'opening') return silentMs > SILENT_MS ? noData(agent, silentMs) : 'asking';
  if (agent.connection.state === 'broken' || agent.picture === null || silentMs > SILENT_MS || isLinkDown(agent)) {
    return noData(agent, silentMs);
  }
  const source = agent.status?.source === 'polled' ? 'polled' : 'live';
  return agent.status?.paneDead ? `${source}, its program has ended` : source;
};

const noData = (agent: WatchedAgent, silentMs: number): string => {
  const why = whySilent(agent);
  return `no data for ${fine(Math.floor(silentMs / 1_000))}${why ? ` (${why})` : ''}`;
};

/** The part of the way that is known to be broken. */
const whySilent = ({ connection, status }: WatchedAgent): string => {
  if (connection.state === 'broken') return `resuming: ${connection.reason}`;
  const { link } = status ?? {};
  if (!link || link.state === '' || link.state === 'connected') return 'silent';
  return link.reason ? `${link.state}: ${link.reason}` : link.state;
};

export const linkWords = (agent: WatchedAgent, nowMono: number): string | null => {
  const { link } = agent.status ?? {};
  if (!link || link.state === '') return null;
  return `${link.state} ${fine(Math.floor(agent.linkAgeMs(nowMono) / 1_000))}`;
};

export const endWords = ({ reason, detail, lastExit }: TerminalEnd): string => {
  const known: Record<string, string> = {
    session_ended: 'the session ended',
    server_ended: 'its tmux server ended',
    agent_removed: 'the agent was removed',
  };
  const exit = lastExit?.signal
    ? `signal ${lastExit.signal}`
    : lastExit?.status !== undefined
      ? `exit ${lastExit.status}`
      : '';
  const more = [detail, exit].filter(Boolean).join(', ');
  return `${known[reason] ?? reason}${more ? ` (${more})` : ''}`;
};

/** The whole line: what is cut first stands last. */
export const statusLine = (
  agent: WatchedAgent,
  view: { nowMono: number; window: Size; offset: Offset; follows: boolean; keys: string },
): string => {
  const { picture, status } = agent;
  const parts = [agent.address, currencyWords(agent, view.nowMono)];
  if (status?.writer) parts.push(`${status.writer} types`);
  if (picture) parts.push(`${picture.width}x${picture.height}${cropWords(picture, view)}`);
  const link = isCurrent(agent, view.nowMono) ? linkWords(agent, view.nowMono) : null;
  if (link) parts.push(link);
  const watchers = status?.watchers.length ?? 0;
  if (watchers > 0) parts.push(`${watchers} watching`);
  parts.push(view.keys);
  if (status?.source === 'polled' && status.polledBecause) parts.push(`polled: ${status.polledBecause}`);
  return cleanText(parts.join(' · '));
};

const cropWords = (picture: Size, { window, offset, follows }: { window: Size; offset: Offset; follows: boolean }) => {
  const isCropped = picture.width > window.width || picture.height > window.height;
  if (!isCropped) return '';
  return ` from ${offset.x},${offset.y}${follows ? '' : ' (f follows)'}`;
};
