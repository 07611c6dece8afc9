import { expect, test } from 'vitest';
import type { ViewMirror } from '../../../src/cli/client/view-mirror.ts';
import type { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { twoHosts } from '../../helpers/two-hosts.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 40_000 };
const hosts = twoHosts();

/** `host/agent state` of every row, as somebody on `host` would see it. */
const seen = (mirror: ViewMirror): string[] =>
  [...mirror.hostAgentIds()]
    .flatMap((id) => {
      const host = mirror.momentOf(id, performance.now())?.host;
      return [...mirror.rowsOf(id)].map(({ row }) => `${host?.host}/${row.agent} ${host?.link.state}`);
    })
    .sort();

const both = ['W-jarvis/alpha connected', 'dragon-lin/coder0-0 connected'];

const bothSeenFrom = async (host: RunningHostAgent): Promise<ViewMirror> =>
  await until(async () => {
    const mirror = await host.view();
    expect(seen(mirror)).toEqual(both);
    return mirror;
  }, SOON);

test('either host shows the agents of both, as the same rows', async () => {
  const { jarvis, dragon } = hosts;
  await jarvis.tmux('new-session', '-d', '-s', 'alpha', 'sleep 1000');
  await dragon.tmux('new-session', '-d', '-s', 'coder0-0', 'sleep 1000');
  const rows = (mirror: ViewMirror) =>
    [...mirror.hostAgentIds()]
      .flatMap((id) =>
        [...mirror.rowsOf(id)].map(({ row }) => ({ ...row, lastOutputMs: 0, rssBytes: 0, cpuPercent: 0 })),
      )
      .sort((a, b) => a.agent.localeCompare(b.agent));
  await until(async () => {
    const [here, there] = [await bothSeenFrom(jarvis), await bothSeenFrom(dragon)];
    expect(rows(here)).toEqual(rows(there));
    return true;
  }, SOON);
});

test('without the controller the local machine is still shown, and the last rows of others say that they are old', async () => {
  const { cell, jarvis, dragon } = hosts;
  await jarvis.tmux('new-session', '-d', '-s', 'alpha', 'sleep 1000');
  await dragon.tmux('new-session', '-d', '-s', 'coder0-0', 'sleep 1000');
  await bothSeenFrom(jarvis);
  await cell.stop();
  await until(async () => {
    const mirror = await jarvis.view();
    expect(mirror.upstreamAt(performance.now())?.state).toBe('unreachable');
    expect(seen(mirror)).toEqual(['W-jarvis/alpha connected', 'dragon-lin/coder0-0 resuming']);
    return true;
  }, SOON);
  await jarvis.tmux('new-session', '-d', '-s', 'beta', 'sleep 1000');
  await until(async () => seen(await jarvis.view()).includes('W-jarvis/beta connected'), SOON);
  await jarvis.tmux('kill-session', '-t', 'beta');
  await cell.begin();
  await bothSeenFrom(jarvis);
});

test('a host-agent that stops and starts again changes no session, and its rows come back as they are', async () => {
  const { jarvis, dragon } = hosts;
  await jarvis.tmux('new-session', '-d', '-s', 'alpha', 'sleep 1000');
  await dragon.tmux('new-session', '-d', '-s', 'coder0-0', 'sleep 1000');
  await bothSeenFrom(jarvis);
  const pids = await dragon.tmux('list-panes', '-a', '-F', '#{pid} #{pane_pid} #{window_width}');
  await dragon.stop();
  await until(async () => seen(await jarvis.view()).includes('dragon-lin/coder0-0 lost'), SOON);
  await dragon.begin();
  await bothSeenFrom(jarvis);
  expect(await dragon.tmux('list-panes', '-a', '-F', '#{pid} #{pane_pid} #{window_width}')).toBe(pids);
});

test('--local asks nobody else', async () => {
  const { jarvis, dragon } = hosts;
  await jarvis.tmux('new-session', '-d', '-s', 'alpha', 'sleep 1000');
  await dragon.tmux('new-session', '-d', '-s', 'coder0-0', 'sleep 1000');
  await bothSeenFrom(jarvis);
  expect(seen(await jarvis.view({ localOnly: true }))).toEqual(['W-jarvis/alpha connected']);
});
