import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../helpers/until.ts';
import { OPEN_POLICY, origin, SLOW, Stage } from './stage.ts';

const stage = new Stage();
const REFUSED = { code: 'FAILED_PRECONDITION' };
const endOf = ({ events }: { events: { ended?: unknown }[] }) => events.at(-1)?.ended;

beforeAll(async () => {
  await stage.reader('coder');
});
beforeEach(() => {
  stage.forget('coder');
  stage.policy = OPEN_POLICY;
});
afterAll(() => stage.close());

test('whoever holds the keyboard types, and rows name them for as long', async () => {
  const held = stage.hold('coder');
  const lease = await held.granted;
  expect(stage.takeover.leases.writer('coder')).toBe('ada');
  expect(await stage.type('coder', lease, 1n, [{ text: 'ls' }, { key: 'Enter' }])).toEqual({ sequence: 1n });
  expect(await stage.got('coder', 3)).toBe('ls\r');
  held.leave();
  await held.ended;
  expect(stage.takeover.leases.writer('coder')).toBeNull();
  await expect(stage.type('coder', lease, 2n, [{ text: 'x' }])).rejects.toMatchObject(REFUSED);
  expect(stage.bytes('coder').toString()).toBe('ls\r');
});

test('10,000 strokes arrive in order, none lost and none twice, though some calls are made twice', async () => {
  const held = stage.hold('coder');
  const lease = await held.granted;
  let expected = '';
  const underWay: Promise<unknown>[] = [];
  for (let at = 0; at < 10_000; ) {
    const size = 1 + (at % 97);
    const strokes = Array.from({ length: size }, (_, i) =>
      (at + i) % 9 === 0 ? { key: 'Enter' } : { text: letter(at + i) },
    );
    expected += strokes.map((stroke) => stroke.text ?? '\r').join('');
    at += size;
    const sequence = BigInt(underWay.length + 1);
    const call = stage.type('coder', lease, sequence, strokes);
    if (sequence % 5n === 0n) await Promise.all([call, stage.type('coder', lease, sequence, strokes)]);
    else if (sequence % 3n === 0n) await call;
    underWay.push(call);
  }
  await Promise.all(underWay);
  const got = await stage.got('coder', expected.length);
  expect(got === expected).toBe(true);
  held.leave();
  await held.ended;
});

test('a gap in the numbers is refused, and nothing of it is typed', async () => {
  const held = stage.hold('coder');
  const lease = await held.granted;
  await stage.type('coder', lease, 1n, [{ text: 'a' }]);
  await expect(stage.type('coder', lease, 3n, [{ text: 'c' }])).rejects.toMatchObject(REFUSED);
  await stage.type('coder', lease, 2n, [{ text: 'b' }]);
  expect(await stage.got('coder', 2)).toBe('ab');
  held.leave();
  await held.ended;
});

test('bad strokes are refused whole, before the first is typed', async () => {
  const held = stage.hold('coder');
  const lease = await held.granted;
  for (const bad of [{ key: 'S-Enter' }, { key: 'kill-server' }, { text: 'a\x1b[201~' }, { text: '' }, {}]) {
    const call = stage.type('coder', lease, 1n, [{ text: 'good' }, bad]);
    await expect(call).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
  await stage.type('coder', lease, 1n, [{ text: 'z' }]);
  expect(await stage.got('coder', 1)).toBe('z');
  held.leave();
  await held.ended;
});

test('a second one is refused by name, and the first is told who asks', async () => {
  const held = stage.hold('coder');
  await held.granted;
  stage.clock.advance(125_000);
  await expect(stage.hold('coder', origin('bob')).granted).rejects.toMatchObject({
    ...REFUSED,
    message: expect.stringMatching(/^busy: ada has typed here for 2 min; --takeover/),
  });
  await until(() => held.events.some(({ notice }) => notice?.words === 'bob asks for the keyboard'), SLOW);
  expect(endOf(held)).toBeUndefined();
  held.leave();
  await held.ended;
});

test('a caller of another cell is told that somebody has it, and by no name of ours who', async () => {
  stage.policy = { ...OPEN_POLICY, federated: 'send', federatedTakeover: true };
  const from = (name: string) =>
    origin(`home/${name}`, { actor: `spiffe://home/operator/${name}`, kind: 'controller', federated: true });
  const held = stage.hold('coder');
  await held.granted;
  await expect(stage.hold('coder', from('eve')).granted).rejects.toMatchObject({
    message: expect.stringMatching(/^busy: somebody has typed here for/),
  });
  const eve = stage.hold('coder', from('eve'), { takeover: true });
  await eve.granted;
  expect(eve.events[0]?.granted?.displaced).toBe('somebody');
  await held.ended;
  expect(endOf(held)).toMatchObject({ detail: 'home/eve took over' });
  // Its own people it knows by name.
  const mallory = stage.hold('coder', from('mallory'), { takeover: true });
  await mallory.granted;
  expect(mallory.events[0]?.granted?.displaced).toBe('home/eve');
  const ada = stage.hold('coder', origin(), { takeover: true });
  await ada.granted;
  await mallory.ended;
  expect(endOf(mallory)).toEqual({ reason: 'displaced', detail: 'somebody took over' });
  ada.leave();
  await Promise.all([eve.ended, ada.ended]);
});

test('whoever is displaced is told by whom, and types nothing more from that moment', async () => {
  const held = stage.hold('coder');
  const lease = await held.granted;
  await stage.type('coder', lease, 1n, [{ text: 'a' }]);
  const bob = stage.hold('coder', origin('bob'), { takeover: true });
  await expect(stage.type('coder', lease, 2n, [{ text: 'late' }])).rejects.toMatchObject(REFUSED);
  const next = await bob.granted;
  expect(bob.events[0]?.granted?.displaced).toBe('ada');
  await held.ended;
  expect(endOf(held)).toEqual({ reason: 'displaced', detail: 'bob took over' });
  expect(stage.takeover.leases.writer('coder')).toBe('bob');
  await stage.type('coder', next, 1n, [{ text: 'b' }], origin('bob'));
  expect(await stage.got('coder', 2)).toBe('ab');
  bob.leave();
  await bob.ended;
});

test('a lease is worth nothing in other hands', async () => {
  const held = stage.hold('coder');
  const lease = await held.granted;
  await expect(stage.type('coder', lease, 1n, [{ text: 'x' }], origin('eve'))).rejects.toMatchObject(REFUSED);
  await stage.type('coder', lease, 1n, [{ text: 'a' }]);
  expect(await stage.got('coder', 1)).toBe('a');
  held.leave();
  await held.ended;
});

test('without a key it ends after the idle limit, said before; a key begins it anew', async () => {
  const held = stage.hold('coder');
  const lease = await held.granted;
  expect(held.events[0]?.granted?.idleLimitMs).toBe(30 * 60_000);
  stage.clock.advance(29.5 * 60_000);
  await until(
    () => held.events.find(({ notice }) => notice?.words === 'without a key the takeover ends in 30 s'),
    SLOW,
  );
  await stage.type('coder', lease, 1n, [{ text: 'a' }]);
  stage.clock.advance(29.5 * 60_000);
  await until(() => held.events.filter(({ notice }) => notice).length === 2, SLOW);
  expect(endOf(held)).toBeUndefined();
  stage.clock.advance(31_000);
  await held.ended;
  expect(endOf(held)).toEqual({ reason: 'expired', detail: 'no key for 30 min' });
  await expect(stage.type('coder', lease, 2n, [{ text: 'late' }])).rejects.toMatchObject(REFUSED);
  expect(stage.bytes('coder').toString()).toBe('a');
});

test('the host’s policy is the last word, at the begin and from the moment it changes', async () => {
  stage.policy = { ...OPEN_POLICY, takeover: false };
  await expect(stage.hold('coder').granted).rejects.toMatchObject({
    ...REFUSED,
    message:
      "this host's policy lets nobody take over an agent; whoever owns the account allows it with: fleet host control W-jarvis --takeover yes",
  });
  stage.policy = OPEN_POLICY;
  await expect(stage.hold('coder', origin('peer', { federated: true })).granted).rejects.toMatchObject(REFUSED);
  const held = stage.hold('coder');
  const lease = await held.granted;
  stage.policy = { ...OPEN_POLICY, takeover: false };
  await expect(stage.type('coder', lease, 1n, [{ text: 'x' }])).rejects.toMatchObject(REFUSED);
  await held.ended;
  expect(endOf(held)).toMatchObject({ reason: 'policy' });
  expect(stage.bytes('coder')).toHaveLength(0);
});

test('another program in the pane, or none, is not the agent that was meant', async () => {
  const target = stage.target('coder');
  const other = { target: { ...target, panePid: target.panePid + 1 } };
  await expect(stage.hold('coder', origin(), other).granted).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const none = { target: { ...target, key: 'nobody' } };
  await expect(stage.hold('coder', origin(), none).granted).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a takeover ends with its session', async () => {
  await stage.reader('brief');
  const held = stage.hold('brief');
  await held.granted;
  stage.tmux.run('s', 'kill-session', '-t', '=brief');
  await held.ended;
  expect(endOf(held)).toMatchObject({ reason: 'session_ended' });
  expect(stage.takeover.leases.writer('brief')).toBeNull();
});

test('no client and no buffer of ours is left on the server afterwards', async () => {
  stage.isFollowed = true;
  const held = stage.hold('coder');
  const lease = await held.granted;
  await until(() => stage.tmux.run('s', 'list-clients') !== '', SLOW);
  await stage.type('coder', lease, 1n, [{ text: 'a' }, { paste: 'b' }]);
  held.leave();
  await held.ended;
  stage.isFollowed = false;
  expect(stage.tmux.run('s', 'list-clients')).toBe('');
  expect(stage.tmux.run('s', 'list-buffers')).toBe('');
});

const letter = (at: number): string => String.fromCharCode(97 + (at % 26));
