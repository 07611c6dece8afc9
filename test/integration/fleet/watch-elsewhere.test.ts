import { expect, test } from 'vitest';
import { callerAt, Watching } from '../../helpers/fleet-caller.ts';
import { twoHosts } from '../../helpers/two-hosts.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const hosts = twoHosts();

test('an agent of another host is watched as tmux has it there, over a restart of its host-agent and of the controller', async () => {
  const { cell, jarvis, dragon } = hosts;
  await dragon.tmux('new-session', '-d', '-s', 'coder0-0', '-x', '60', '-y', '10', 'cat');
  const id = `dragon-lin/${dragon.config.user}`;
  const key = await until(async () => [...(await jarvis.view()).rowsOf(id)][0]?.row.key, SOON);
  const client = callerAt(jarvis.config.paths.hostAgentSocket);
  const captured = async (): Promise<string> => (await dragon.tmux('capture-pane', '-p', '-t', '=coder0-0:')).trimEnd();
  const watch = async (): Promise<Watching> => {
    const watching = new Watching(client, { hostAgent: id, key }).read();
    await until(() => watching.isOver || watching.shows !== '', SOON);
    return watching;
  };
  const first = await until(async () => {
    const watching = await watch();
    return watching.failure === null && watching;
  }, SOON);
  const sameAs = async (watching: Watching, text: string): Promise<void> => {
    await dragon.tmux('send-keys', '-t', '=coder0-0:', '-l', text);
    await until(async () => {
      const screen = await captured();
      return screen.includes(text) && watching.shows.trimEnd() === screen;
    }, SOON);
  };
  await sameAs(first, 'one漢字,');
  expect(first.screen.log.picture).toMatchObject({ width: 60, height: 10 });
  expect(first.status?.watchers).toEqual([`${jarvis.config.user}@W-jarvis`]);

  await dragon.stop();
  await until(() => first.status?.link?.state === 'lost', SOON);
  expect(first.shows).toContain('one漢字');
  await dragon.begin();
  await until(() => first.status?.link?.state === 'connected', SOON);
  await sameAs(first, 'two,');

  await cell.stop();
  await until(() => first.isOver, SOON);
  expect(first.end).toBeNull();
  await cell.begin();
  const second = await until(async () => {
    const watching = await watch();
    return watching.failure === null && watching;
  }, SOON);
  await sameAs(second, 'three,');
  await dragon.tmux('kill-session', '-t', '=coder0-0');
  await until(() => second.isOver, SOON);
  expect(second.end?.reason).toBeTruthy();
  client.close();
});
