import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PaneTyping } from '../../../../host-agent/tmux/typing.ts';
import { until } from '../../../helpers/until.ts';
import { OrderGround } from './order-ground.ts';

const LATER = { timeoutMs: 30_000 };
const typing = new PaneTyping({ tmuxPath: 'tmux', uid: process.getuid!() });
const signal = () => AbortSignal.timeout(20_000);
const bracketed = { bracketed: true };

test('what tmux says of a pane is read, and a pane that is not there is none', async () => {
  await using ground = new OrderGround();
  const { pane } = await ground.program('cat');
  await until(async () => (await typing.look(pane, signal()))?.command === 'cat', LATER);
  expect(await typing.look(pane, signal())).toMatchObject({ panePid: pane.panePid, dead: false, inMode: false });
  expect(await typing.look({ ...pane, paneId: '%99' }, signal())).toBeNull();
  expect(await typing.look({ ...pane, socket: `${pane.socket}-none` }, signal())).toBeNull();
});

test('the server compares at the moment of typing: another program, another life or a mode gets nothing', async () => {
  await using ground = new OrderGround();
  const { pane } = await ground.program('cat');
  await until(async () => (await typing.look(pane, signal()))?.command === 'cat', LATER);
  const look = (await typing.look(pane, signal()))!;
  for (const other of [{ command: 'node' }, { panePid: look.panePid + 1 }]) {
    expect(await typing.paste(pane, { ...look, ...other }, 'never', bracketed, signal())).toBe('no');
    expect(await typing.press(pane, { ...look, ...other }, 'Enter', signal())).toBe('no');
  }
  ground.run('copy-mode', '-t', pane.paneId);
  expect(await typing.paste(pane, look, 'never', bracketed, signal())).toBe('no');
  ground.run('copy-mode', '-q', '-t', pane.paneId);
  expect(await typing.paste({ ...pane, paneId: '%99' }, look, 'never', bracketed, signal())).toBe('no');
  expect(ground.run('list-buffers')).toBe('');
  expect(await typing.paste(pane, look, 'now;', bracketed, signal())).toBe('yes');
  await until(() => ground.run('capture-pane', '-p', '-t', pane.paneId).includes('now;'), LATER);
  expect(ground.run('capture-pane', '-p', '-t', pane.paneId)).not.toContain('never');
});

test('a program’s name that would end the comparison is not compared, the rest is', async () => {
  await using ground = new OrderGround();
  const { pane } = await ground.program('cat');
  const look = (await typing.look(pane, signal()))!;
  const odd = { ...look, command: 'a},b #{x' };
  expect(await typing.press(pane, { ...odd, panePid: 1 }, 'Enter', signal())).toBe('no');
  expect(await typing.press(pane, odd, 'x', signal())).toBe('yes');
});

test('the buffers of a host-agent that was killed are taken away, those of people and of the living are not', async () => {
  await using ground = new OrderGround();
  const { pane } = await ground.program('cat');
  const dead = spawnSync('true').pid;
  for (const name of [`fleet-order-${dead}-1-1`, 'fleet-order-of-mine', 'clip'])
    ground.run('set-buffer', '-b', name, 'text');
  await typing.look(pane, signal());
  expect(ground.run('list-buffers', '-F', '#{buffer_name}').split('\n').sort()).toEqual([
    'clip',
    'fleet-order-of-mine',
  ]);
});

test('neither a socket that others could replace nor an odd key or pane is used', async () => {
  await using ground = new OrderGround();
  const { pane } = await ground.program('cat');
  const look = (await typing.look(pane, signal()))!;
  await expect(typing.press(pane, look, 'Enter ; kill-server', signal())).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  const other = { ...pane, paneId: '%1 ; kill-server' };
  await expect(typing.look(other, signal())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  chmodSync(ground.tmux.folder, 0o777);
  await expect(typing.press(pane, look, 'Enter', signal())).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  chmodSync(ground.tmux.folder, 0o700);
});

test('a server that hangs: nothing is claimed, and no text stays behind', async () => {
  await using ground = new OrderGround();
  const { pane } = await ground.program('cat');
  const look = (await typing.look(pane, signal()))!;
  const server = Number(ground.run('display-message', '-p', '#{pid}'));
  process.kill(server, 'SIGSTOP');
  try {
    expect(await typing.press(pane, look, 'Enter', AbortSignal.timeout(500))).toBe('maybe');
    await expect(typing.look(pane, AbortSignal.timeout(500))).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const pasting = typing.paste(pane, look, 'text', bracketed, AbortSignal.timeout(500));
    await expect(pasting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  } finally {
    process.kill(server, 'SIGCONT');
  }
  await typing.look(pane, signal());
  expect(ground.run('list-buffers')).toBe('');
});
