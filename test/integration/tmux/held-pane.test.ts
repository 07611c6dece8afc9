import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlClient } from '../../../host-agent/tmux/control-client.ts';
import { Questions } from '../../../host-agent/tmux/questions.ts';
import { SessionOutput } from '../../../host-agent/tmux/session-output.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { PrivateTmux } from '../../helpers/tmux-server.ts';
import { until } from '../../helpers/until.ts';

const SLOW = { timeoutMs: 60_000 };
const tmux = new PrivateTmux();
const stop = new AbortController();
let output: SessionOutput;
let running: Promise<void>;
let follower: ControlClient;

beforeAll(async () => {
  tmux.session('s', 'coder', 'cat');
  const place = { tmuxPath: 'tmux', uid: process.getuid!(), socket: tmux.socket('s') };
  follower = new ControlClient({ ...place, sessionId: '$0', flags: 'no-output,ignore-size' });
  follower.start();
  await follower.opened;
  const questions = new Questions({ ...place, follower: () => follower, problem: () => null });
  const session = { ...place, sessionId: '$0', clock: systemClock, log: silentLogger(), questions };
  output = new SessionOutput({ ...session, polled: () => null, settleMs: 50, retryMs: 500 });
  running = output.run(stop.signal);
  await until(() => output.apart === null, SLOW);
});
afterAll(async () => {
  stop.abort();
  await running;
  await follower.close();
  tmux.close();
});

test('the first answer after a pane was held is the answer alone, and what it prints then is announced again', async () => {
  let printed = 0;
  using _heard = output.onPrinted('%0', () => {
    printed += 1;
  });
  for (let round = 1; round <= 3; round += 1) {
    output.hold('%0');
    const ask = output.ask('%0', true);
    const lines = await ask?.([['display-message', '-p', 'answered']], stop.signal);
    expect(lines?.map(String)).toEqual(['answered']);
    const before = printed;
    tmux.run('s', 'send-keys', '-t', '=coder:', 'x');
    await until(() => printed > before, SLOW);
  }
});
