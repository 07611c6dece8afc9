import { expect, test } from 'vitest';
import { InventoryPanes } from '../../../../host-agent/inventory/agent-panes.ts';
import type { KeptRun } from '../../../../host-agent/terminal/ports.ts';
import { tailTerminal } from '../../../../host-agent/terminal/tail-call.ts';
import type { TailTerminalResponse } from '../../../../src/wire/gen/fleet/v1/terminal.ts';
import { agentRow } from '../../../helpers/agent-row.ts';

const run = (over: Partial<KeptRun> = {}): KeptRun => ({
  startedMs: 1_000,
  endedMs: 9_000,
  status: 3,
  signal: null,
  cause: 'ended',
  lines: async () => ['one', 'two\x1b[31m', 'three'],
  ...over,
});

/** Of an agent without any session. */
const tail = async (
  runs: KeptRun[],
  over: { lastRun?: number; lines?: number; follow?: boolean; key?: string } = {},
) => {
  const rows = [agentRow({ key: 'roster:coder', agent: 'coder', tmux: null })];
  const panes = new InventoryPanes({ rows, onLook: () => ({ [Symbol.dispose]: () => undefined }) });
  const nothing = {} as never;
  const records = async (agent: string) => (agent === 'coder' ? runs : []);
  const call = tailTerminal({ panes, feeds: nothing, questions: nothing, records });
  const heard: TailTerminalResponse[] = [];
  const sink = { write: (message: TailTerminalResponse) => heard.push(message) > 0, drained: async () => undefined };
  await call({ hostAgent: 'h/u', key: 'roster:coder', lines: 0, follow: false, lastRun: 1, ...over }, sink, {
    origin: { actor: 'local:ada', name: 'ada', kind: 'local', role: 'operator', federated: false },
    audience: { watchers: [], onChange: () => ({ [Symbol.dispose]: () => undefined }) },
    signal: new AbortController().signal,
  });
  return heard;
};

test('the last run of an agent that has no session now, with nothing that a terminal would obey', async () => {
  expect(await tail([run(), run({ status: 0 })])).toEqual([
    {
      lines: ['one', 'two [31m', 'three'],
      fullScreen: false,
      missed: 0,
      run: { startedMs: 1_000, endedMs: 9_000, status: 3, signal: undefined, cause: 'ended', kept: 2, hasLines: true },
    },
  ]);
});

test('the one before, and of it no more lines than were asked for', async () => {
  const [told] = await tail([run(), run({ status: null, signal: 'SIGKILL' })], { lastRun: 2, lines: 1 });
  expect(told).toMatchObject({ lines: ['three'], run: { status: undefined, signal: 'SIGKILL' } });
});

test('a run whose lines could not be kept is told without them', async () => {
  const [told] = await tail([run({ lines: async () => null, cause: 'killed' })]);
  expect(told).toMatchObject({ lines: [], run: { cause: 'killed', hasLines: false } });
});

test('many lines come in several messages, and the run with the first', async () => {
  const many = Array.from({ length: 200 }, () => 'x'.repeat(2_000));
  const told = await tail([run({ lines: async () => many })], { lines: 200 });
  expect(told.length).toBeGreaterThan(1);
  expect([told.flatMap(({ lines }) => lines).length, told.filter((each) => each.run).length]).toEqual([200, 1]);
});

test.each([
  [[], {}, 'NOT_FOUND', /no run of it that is over is kept/],
  [[run()], { lastRun: 2 }, 'NOT_FOUND', /only 1 of its runs are kept/],
  [[run()], { key: 'roster:nobody' }, 'NOT_FOUND', /no agent here/],
  [[run()], { follow: true }, 'INVALID_ARGUMENT', /cannot be followed/],
])('of %j with %j: %s', async (runs, over, code, message) => {
  await expect(tail(runs as KeptRun[], over)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
