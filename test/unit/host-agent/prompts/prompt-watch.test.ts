import { expect, test, vi } from 'vitest';
import { PromptWatch } from '../../../../host-agent/prompts/prompt-watch.ts';
import { ScreenPrompts } from '../../../../host-agent/prompts/screen-prompts.ts';
import { shippedRules } from '../../../../host-agent/prompts/shipped-rules.ts';
import type { PaneRef, ScreenReader } from '../../../../host-agent/terminal/ports.ts';
import type { AgentRow, TmuxFacts } from '../../../../src/domain/agent-row.ts';
import { FleetError } from '../../../../src/domain/errors.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { Listeners } from '../../../../src/runtime/listeners.ts';
import { silentLogger } from '../../../../src/runtime/logger.ts';
import type { ScreenPicture } from '../../../../src/screen/screen-log.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { recordedScreen } from '../../../helpers/screen-fixture.ts';
import { until } from '../../../helpers/until.ts';

const PATIENCE = { timeoutMs: 20_000 };
vi.setConfig({ testTimeout: 60_000 });
const shipped = shippedRules();
const prompts = new ScreenPrompts({ rulesFor: (runtime) => shipped.get(runtime ?? '') ?? null });

/** Agents in panes that nobody draws: rows that a test changes, and screens that it gives. */
class Ground implements ScreenReader {
  readonly reads: { key: string; atMono: number }[] = [];
  rows: AgentRow[] = [];
  show: (pane: PaneRef) => ScreenPicture = () => recordedScreen('claude-trust');
  changes = 0;
  readonly watch: PromptWatch;
  readonly #looks = new Listeners();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor() {
    this.watch = new PromptWatch({ agents: this, screens: this, prompts, clock: systemClock, log: silentLogger() });
    this.watch.onChange(() => {
      this.changes += 1;
    });
    this.#running = this.watch.run(this.#stopping.signal);
  }

  onLook(listener: () => void): Disposable {
    return this.#looks.add(listener);
  }

  async read(pane: PaneRef): Promise<ScreenPicture> {
    this.reads.push({ key: pane.key, atMono: performance.now() });
    return this.show(pane);
  }

  /** A look at the machine that found the agent so. */
  look(key: string, over: Partial<AgentRow> = {}): void {
    const row = agentRow({ key, runtimeSeen: 'claude', lastOutputMs: 1_000, tmux: PANE, ...over });
    this.rows = [...this.rows.filter((each) => each.key !== key), row];
    this.#looks.emit();
  }

  readsOf(key: string): number[] {
    return this.reads.filter((each) => each.key === key).map(({ atMono }) => atMono);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}

const PANE: TmuxFacts = {
  socket: '/tmp/tmux-1000/default',
  session: 's',
  sessionId: '$0',
  group: null,
  groupMembers: [],
  paneId: '%3',
  pid: 30,
  command: 'claude',
  title: 't',
  cwd: '/',
  dead: false,
  exitStatus: null,
  signal: null,
  width: 100,
  height: 40,
  alternateScreen: false,
  attached: 0,
};
const OWN = { id: '%3', pid: 30 };

test('an agent is read at once, once more after it settled, and not again until its pane changes', async () => {
  await using ground = new Ground();
  ground.look('a');
  await until(() => ground.readsOf('a').length === 2, PATIENCE);
  expect(ground.watch.evidence('a', OWN)).toMatchObject({
    state: 'blocked',
    rule: 'claude/trust-folder',
    sinceMs: 1_000,
  });
  // Looks that find the same, while another agent is read for longer than a settled one would be.
  ground.look('b', { lastOutputMs: 5_000 });
  await until(() => {
    ground.look('a');
    return ground.readsOf('b').length === 2;
  }, PATIENCE);
  expect([ground.readsOf('a').length, ground.changes]).toEqual([2, 2]);
  ground.look('a', { lastOutputMs: 2_000 });
  await until(() => ground.readsOf('a').length === 4, PATIENCE);
});

test('a pane that changes all the time is read at most once a second', async () => {
  await using ground = new Ground();
  let outputMs = 0;
  await until(() => {
    outputMs += 1;
    ground.look('a', { lastOutputMs: outputMs });
    return ground.readsOf('a').length === 4;
  }, PATIENCE);
  const times = ground.readsOf('a');
  for (const [i, atMono] of times.entries()) expect(atMono - (times[i - 1] ?? -1_000)).toBeGreaterThanOrEqual(990);
});

test('the same prompt keeps the moment since which it stands', async () => {
  await using ground = new Ground();
  ground.look('a');
  await until(() => ground.watch.evidence('a', OWN), PATIENCE);
  const before = ground.watch.evidence('a', OWN);
  ground.show = () => recordedScreen('claude-trust-second');
  ground.look('a', { lastOutputMs: 9_000 });
  await until(() => ground.readsOf('a').length === 2, PATIENCE);
  expect(ground.watch.evidence('a', OWN)).toEqual(before);
  ground.show = () => recordedScreen('claude-approval');
  await until(() => ground.watch.evidence('a', OWN)?.sinceMs === 9_000, PATIENCE);
});

test('a screen that cannot be read is no evidence, and is tried again', async () => {
  await using ground = new Ground();
  ground.look('a');
  await until(() => ground.watch.evidence('a', OWN), PATIENCE);
  ground.show = () => {
    throw new FleetError('UNAVAILABLE', 'no answer');
  };
  ground.look('a', { lastOutputMs: 2_000 });
  await until(() => ground.watch.evidence('a', OWN) === null, PATIENCE);
  ground.show = () => recordedScreen('claude-approval');
  await until(() => ground.watch.evidence('a', OWN)?.rule === 'claude/approval', PATIENCE);
});

test('evidence is of one life of one pane', async () => {
  await using ground = new Ground();
  ground.look('a');
  await until(() => ground.watch.evidence('a', OWN), PATIENCE);
  expect(ground.watch.evidence('a', { id: '%3', pid: 31 })).toBeNull();
  expect(ground.watch.evidence('a', { id: '%4', pid: 30 })).toBeNull();
  expect(ground.watch.evidence('b', OWN)).toBeNull();
});

test('the screens of shells, of what cannot be told, of dead panes and of agents without an own pane are not read', async () => {
  await using ground = new Ground();
  const unread: Partial<AgentRow>[] = [
    { runtimeSeen: 'bash' },
    { runtimeSeen: null, runtime: null },
    { tmux: { ...PANE, dead: true } },
    { tmux: { ...PANE, paneId: null, pid: null, dead: null } },
  ];
  for (const [index, over] of unread.entries()) ground.look(`unread ${index}`, over);
  ground.look('a');
  await until(() => ground.readsOf('a').length === 2, PATIENCE);
  expect(ground.reads.map(({ key }) => key)).toEqual(['a', 'a']);
});
